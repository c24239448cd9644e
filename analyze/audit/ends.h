// The recorded ends of TCP connections, and what is said of each: addresses, who used it, how it began.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analyze/model/audit/address.h"
#include "analyze/model/machine/container.h"
#include "analyze/model/machine/processes.h"
#include "analyze/model/wall_clock.h"
#include "formats/event_names.h"
#include "formats/socket_event.h"

namespace tailcap::audit {

using formats::Time;

struct AuditedEnd {
  std::optional<model::IpAddress> local, remote;
  std::uint16_t local_port = 0, remote_port = 0;
  std::uint32_t net_namespace = 0;
  formats::Origin origin = formats::Origin::unknown;
  Time first = formats::kNoTime, established = formats::kNoTime, closed = formats::kNoTime;
  bool connecting = false;       // its connect was seen
  std::uint32_t pid = 0;         // that opened, accepted, used or closed it; 0: not known
  Time used = formats::kNoTime;  // by pid

  bool directed() const { return origin == formats::Origin::connected || origin == formats::Origin::accepted; }
};

class Ends {
 public:
  static constexpr std::size_t kMost = 1'000'000;  // about 200 bytes each; further ones are left out

  void push(const formats::Event& event);

  // After the last event. Those that became connections, or tried to.
  std::vector<AuditedEnd> take();
  bool full() const { return full_; }  // some were left out
  const model::Processes& processes() const { return processes_; }
  const model::Containers& containers() const { return containers_; }
  const model::WallClock& clock() const { return clock_; }
  std::uint64_t lost() const { return lost_; }  // events
  bool damaged() const { return damaged_; }     // something is missing in the capture
  // The machine's own addresses in a network namespace; null: they were not recorded.
  const std::vector<model::IpAddress>* addresses_of(std::uint32_t net_namespace) const;

 private:
  AuditedEnd* find(formats::SocketId socket);
  AuditedEnd* open(formats::SocketId socket, Time at);
  void on(const formats::Event& event, const formats::SocketInfo& info);
  void on(const formats::Event& event, const formats::StateChange& change);
  void used(AuditedEnd& end, const formats::Event& event, bool sure);

  std::vector<AuditedEnd> ends_;
  std::unordered_map<formats::SocketId, std::size_t> live_;
  std::unordered_set<formats::SocketId> others_;  // listeners, datagrams, UNIX sockets
  std::map<std::uint32_t, std::vector<model::IpAddress>> addresses_;
  model::Processes processes_;
  model::Containers containers_;
  model::WallClock clock_;
  std::uint64_t lost_ = 0;
  bool damaged_ = false, full_ = false;
};

}  // namespace tailcap::audit
