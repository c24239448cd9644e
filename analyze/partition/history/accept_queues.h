// Until when connections waited in their listener's queue, from its length now and then.
//
// The queue is first in, first out: the N connections in it are the N that were established last.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "analyze/partition/history/log.h"
#include "formats/socket_event.h"

namespace tailcap::partition {

class AcceptQueues {
 public:
  static constexpr std::size_t kMaxSockets = 64u << 10;  // the last ones
  static constexpr std::size_t kMaxListeners = 4096;     // further ones are not known

  void push(const formats::SocketInfo& info, Nanos at);
  void push(const formats::StateChange& change, Nanos at);
  // Connections may be missing: no more is known.
  void unsure();
  // It had not been accepted by then, at least; 0: not known.
  Nanos queued_until(formats::SocketId socket) const;
  std::size_t forget_before(Nanos t);

 private:
  // At this time the connections before this one were accepted, and those from it on were not.
  struct Look {
    Nanos time = 0;
    std::int64_t first = 0;
  };
  struct Listener {
    std::int64_t established = 0;
    Log<Look> looks;
  };
  struct Place {
    formats::SocketId listener = 0;
    std::int64_t number = 0;
  };
  void look(Listener& listener, Nanos at, std::uint32_t queue);

  std::unordered_map<formats::SocketId, Listener> listeners_;
  std::unordered_map<formats::SocketId, Place> places_;
  std::deque<formats::SocketId> order_;  // of places_
};

}  // namespace tailcap::partition
