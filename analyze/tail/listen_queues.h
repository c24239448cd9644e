// Listeners whose queue was full and that dropped attempts to connect, and which connections came through them.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/listen_queue.h"
#include "formats/event_names.h"
#include "formats/socket_event.h"

namespace tailcap::tail {

class ListenQueues {
 public:
  static constexpr std::size_t kMaxListeners = 4096;        // further ones are not known
  static constexpr std::size_t kMaxSockets = 64u << 10;     // the last ones; requests are announced late
  static constexpr std::size_t kMaxConnections = 1u << 20;  // with requests, likewise
  static constexpr std::size_t kShown = 64;

  void push(const formats::Event& event);
  // It has requests.
  void carries(const model::Connection& connection);
  // Its processes: those named in the quality.
  void fill(model::Study& study) const;

 private:
  struct Listener {
    model::ListenQueue sums;
    bool seen = false;
    std::uint32_t drops = 0;              // when it was last looked at
    formats::Time at = formats::kNoTime;  // which was then
    bool from_its_own = false;            // the address is the listener's own
  };
  void look(const formats::Event& event, const formats::SocketInfo& info);

  std::vector<Listener> listeners_;
  std::unordered_map<formats::SocketId, std::uint32_t> numbers_;        // of listeners
  std::unordered_map<formats::SocketId, std::uint32_t> sockets_;        // accepted: the number of its listener
  std::deque<formats::SocketId> order_;                                 // of sockets_
  std::unordered_map<model::ConnectionId, std::uint32_t> connections_;  // likewise
};

}  // namespace tailcap::tail
