// What a summary of captures holds: counts and sketches for each window of time. docs/summaries.md.
//
// Merging is adding, so all of it is sums, or sets. Names that a summary has no room for are counted under kOther:
// which ones these are follows from the names alone, so that any order of merging gives the same
// (analyze/summaries/merge.h).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/summary/duration_sketch.h"

namespace tailcap::formats {

inline constexpr const char* kOther = "(other)";

struct SummaryRoute {
  std::string service, role, method, route;
  auto operator<=>(const SummaryRoute&) const = default;
};
struct RouteCell {
  std::uint64_t requests = 0;  // that ended in the window, or began in it where their end is not known
  std::uint64_t judged = 0;    // of those: it is known how they ended
  std::uint64_t failed = 0, client_errors = 0;
  std::array<DurationSketch, 6> durations{};     // by the status' first digit; 0: without a status
  std::map<std::string, DurationSketch> labels;  // time of requests under a label
  bool operator==(const RouteCell&) const = default;

  DurationSketch all() const {
    DurationSketch out;
    for (const DurationSketch& s : durations) out.add(s);
    return out;
  }
};

struct SummaryEdge {
  std::string from, to;  // services, or addresses
  auto operator<=>(const SummaryEdge&) const = default;
};
struct SummaryStatement {
  std::string store, statement;  // "postgresql"; without literals
  auto operator<=>(const SummaryStatement&) const = default;
};
struct CallCell {
  std::uint64_t requests = 0, failed = 0;
  DurationSketch durations;
  bool operator==(const CallCell&) const = default;
};

// Sums, and how much is counted.
void add_cell(RouteCell& to, const RouteCell& from);
void add_cell(CallCell& to, const CallCell& from);
inline void add_cell(std::uint64_t& to, std::uint64_t from) { to = saturated(to, from); }
inline std::uint64_t amount_of(const RouteCell& cell) { return cell.requests; }
inline std::uint64_t amount_of(const CallCell& cell) { return cell.requests; }
inline std::uint64_t amount_of(std::uint64_t amount) { return amount; }

struct SummaryFunction {
  std::string service, function;
  bool waited = false;  // ns that requests waited in it; otherwise samples on a CPU
  auto operator<=>(const SummaryFunction&) const = default;
};

struct SummaryWindow {
  std::uint64_t covered = 0;  // ns of it that captures recorded, the sum of all
  std::map<SummaryRoute, RouteCell> routes;
  std::map<SummaryEdge, CallCell> edges;
  std::map<SummaryStatement, CallCell> statements;
  std::map<SummaryFunction, std::uint64_t> functions;
  bool operator==(const SummaryWindow&) const = default;
};

struct SummarisedCapture {
  std::string id, host;
  std::int64_t began = 0, ended = 0;  // ns since 1970
  std::uint64_t lost = 0;             // events
  bool whole = true;                  // nothing is missing
  auto operator<=>(const SummarisedCapture&) const = default;
};

// A note `deploy` or `version` of a recording, for each service that it recorded.
struct SummaryDeployment {
  std::int64_t at = 0;  // ns since 1970: of the note; of one that was given at its start, when the recording began
  std::string service, host, name, value;
  auto operator<=>(const SummaryDeployment&) const = default;
};

struct Summary {
  std::int64_t window = 0;                        // ns
  std::map<std::int64_t, SummaryWindow> windows;  // by their beginning, a multiple of `window` since 1970
  std::set<SummarisedCapture> captures;
  std::set<std::pair<std::string, std::string>> environment;  // "kernel", "6.1.0"
  std::set<SummaryDeployment> deployments;
  bool operator==(const Summary&) const = default;
};

// The most of each. A capture gives at most kOfCapture routes, edges, …: a name that a capture has is nearly always one
// that the sum of many has.
inline constexpr std::size_t kMostNames = 400, kOfCapture = 100;
inline constexpr std::size_t kMostEnvironment = 200, kMostCaptures = 100'000, kMostWindows = 20'000;
inline constexpr std::size_t kMostDeployments = 2'000;                                     // the latest
inline constexpr std::size_t kMostLabels = 100;                                            // of a route
inline constexpr std::size_t kMostTextBytes = 1'000;                                       // of a name
inline constexpr std::size_t kMostCells = 2'000'000;                                       // of all windows
inline constexpr std::int64_t kLeastWindow = 1'000'000, kMostWindow = 86'400'000'000'000;  // ns
inline constexpr std::int64_t kEarliest = -4'000'000'000'000'000'000, kLatest = 4'000'000'000'000'000'000;

}  // namespace tailcap::formats
