// What an audit of network policies found.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/audit/network_policy.h"
#include "analyze/model/wall_clock.h"
#include "formats/time.h"

namespace tailcap::model::audit {

using formats::Time;

// unknown: the capture does not say enough to decide.
enum class ConnectionVerdict : std::uint8_t { allowed, denied, unknown };
inline constexpr std::size_t kVerdicts = 3;

// Why a verdict is unknown; several may apply.
enum class Missing : std::uint8_t { direction, address, process, pod, labels };
inline constexpr std::size_t kMissing = 5;
using MissingSet = std::uint8_t;
constexpr MissingSet bit(Missing m) { return static_cast<MissingSet>(1u << static_cast<unsigned>(m)); }

std::string_view name_of(ConnectionVerdict verdict);  // "allowed", …
std::string_view name_of(Missing missing);            // "direction", …
std::string_view sentence_of(Missing missing);        // "the process of an end is not known"

struct ConnectionTally {
  std::uint64_t count = 0;
  Time first = formats::kNoTime, last = formats::kNoTime;

  void add(std::uint64_t n, Time from, Time to) {
    count += n;
    if (formats::known(from) && (!formats::known(first) || from < first)) first = from;
    if (formats::known(to) && (!formats::known(last) || to > last)) last = to;
  }
};

// A connection as an example: "10.0.0.1:40000", or "unknown".
struct Example {
  Time at = formats::kNoTime;
  std::string from, to;
};
inline constexpr std::size_t kMostExamples = 3;

// One end as it is called: by its pod, else its process, else its address.
struct Named {
  enum class Kind : std::uint8_t { unknown, pod, process, address };
  Kind kind = Kind::unknown;
  std::string text = {};  // "shop/cart-1", "nginx", "10.0.0.1"; empty: unknown
  auto operator<=>(const Named&) const = default;
};
std::string_view name_of(Named::Kind kind);  // "pod", …

inline constexpr std::size_t kMostDeciders = 20;

// Connections with the same ends, direction, port and verdict.
struct ConnectionGroup {
  ConnectionVerdict verdict = ConnectionVerdict::unknown;
  Named who, peer;
  bool directed = true;    // false: which end made the connection is not known
  bool outgoing = true;    // who made it; otherwise it accepted it
  std::uint16_t port = 0;  // of the end that accepts; 0: not known
  // Policies and rules that decided it, the first kMostDeciders. Empty: what was asked for connections that no policy
  // selects.
  std::vector<std::string> by;
  MissingSet missing = 0;
  std::uint64_t failed = 0;  // that were never established
  ConnectionTally connections;
  std::vector<Example> examples;
};

struct PolicyTally {
  ConnectionTally selected;  // connections that it judges; an allow-list judges all
  std::array<ConnectionTally, kVerdicts>
      by_verdict;                      // connections that it allowed, that it denied, and of which that is unknown
  std::vector<ConnectionTally> rules;  // connections that each rule allowed
  std::vector<Example> examples;       // of those denied

  const ConnectionTally& of(ConnectionVerdict v) const { return by_verdict[static_cast<std::size_t>(v)]; }
  bool used() const { return selected.count + of(ConnectionVerdict::unknown).count > 0; }
};

// Connections to a port that was asked about, by their source.
struct Exposure {
  bool sure = true;           // false: the capture does not say whether the source is the machine itself
  Named who;                  // that accepted
  std::string local, remote;  // "10.0.0.5:3306"; an address, or "unknown"
  ConnectionTally connections;
  std::vector<Example> examples;
};

struct Audit {
  std::vector<NetworkPolicy> policies;
  std::vector<PolicyTally> tallies;                          // one for each policy
  ConnectionVerdict otherwise = ConnectionVerdict::allowed;  // of connections that no policy selects
  std::array<ConnectionTally, kVerdicts> total;
  ConnectionTally unselected;                          // of total: that no policy selects
  std::vector<ConnectionGroup> groups;                 // denied, unknown, allowed; most first
  std::array<std::uint64_t, kVerdicts> grouped_out{};  // connections of further groups
  std::vector<PortRange> exposed_ports;
  std::vector<Exposure> exposures;                                    // most first
  std::uint64_t exposed = 0, exposed_unknown = 0, exposed_local = 0;  // connections to those ports
  WallClock clock;
  Time begin = formats::kNoTime;  // of the recording
  std::uint64_t lost = 0;         // events
  bool damaged = false;           // something is missing in the capture
  bool some_left_out = false;     // only a part of the connections was recorded, or read

  const ConnectionTally& of(ConnectionVerdict v) const { return total[static_cast<std::size_t>(v)]; }
  std::uint64_t connections() const { return total[0].count + total[1].count + total[2].count; }
};

}  // namespace tailcap::model::audit
