// What was sent again through which interface and when, and round-trip times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "analyze/model/machine/link_table.h"
#include "analyze/model/study/node_study.h"
#include "analyze/node/open_sockets.h"
#include "formats/event_names.h"
#include "formats/socket_event.h"

namespace tailcap::node {

class LinkTroubles {
 public:
  static constexpr std::size_t kMaxLinks = 4096;    // others count as not known
  static constexpr std::size_t kMaxPeers = 10'000;  // others are left out
  static constexpr std::size_t kMaxHandshakes = 4096;
  static constexpr std::size_t kMaxBuckets = 4096;

  void push(const formats::Event& event, bool counted);
  void fill(model::NodeStudy& study) const;

 private:
  using Key = std::pair<std::uint32_t, std::uint32_t>;  // network namespace, index; {0, 0}: not known
  struct Socket {
    std::uint32_t net_namespace = 0;
    std::string remote;  // without a port
    bool v6 = false;
  };
  struct Counts {
    std::uint64_t count = 0, bytes = 0;
    std::uint64_t beyond_peer = 0;   // packets larger than the MTU of the other end
    std::uint64_t told_by_icmp = 0;  // of connections whose path takes less than the interface
    std::uint32_t path_mtu = 0;      // the least of those
    model::LinkName name;            // when it was last used
    std::uint32_t peer_mtu = 0;
    std::string peer_name;
  };
  struct Rtt {
    model::PeerRtt told;
    std::int64_t window = -1;  // that is under way
    formats::Duration sum{}, before{};
    std::uint64_t count = 0;
  };
  void see(formats::Time time, const formats::SocketInfo& info, bool counted);
  void see(formats::Time time, const formats::StateChange& change, bool counted);
  void see(formats::Time time, const formats::Retransmit& again);
  void read_handshake(const std::string& address, formats::Duration rtt);
  void read_rtt(formats::Time time, const std::string& address, formats::Duration rtt);
  void end_window(Rtt& rtt) const;
  void fill_windows(model::NodeStudy& study) const;
  void count_in_bucket(formats::Time time, Key key);
  const model::LinkName& name_of(Key key) const;

  model::LinkTable links_;
  OpenSockets<Socket> sockets_;
  std::unordered_map<formats::SocketId, formats::Duration> handshakes_;  // of connections that are described next
  std::map<Key, Counts> counts_;
  std::map<std::string, Rtt> rtts_;
  std::int64_t bucket_ = 1'000'000'000;  // ns
  std::map<std::int64_t, std::map<Key, std::uint64_t>> buckets_;
  formats::Time first_ = formats::kNoTime;
};

}  // namespace tailcap::node
