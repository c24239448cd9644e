// What is known of sockets, by number, until some time after their end.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "analyze/model/wire/connection.h"
#include "formats/socket_event.h"

namespace tailcap::node {

// The other end of a TCP connection, with its port. Unset: it is no such connection.
inline std::optional<std::string> remote_end(const formats::SocketInfo& info) {
  if (info.type != formats::SocketType::stream || info.state == formats::TcpState::listen) return std::nullopt;
  if (info.family != formats::Family::inet && info.family != formats::Family::inet6) return std::nullopt;
  model::Connection c;
  c.family = info.family;
  c.remote = info.remote;
  return model::endpoint(c, true);
}

template <class Socket>
class OpenSockets {
 public:
  static constexpr std::size_t kMost = 256u << 10;
  static constexpr std::size_t kClosedKept = 4096;  // events of a socket may be recorded after its end

  const Socket* find(formats::SocketId id) const {  // null: not known
    const auto at = sockets_.find(id);
    return at == sockets_.end() ? nullptr : &at->second;
  }
  Socket* find_or_add(formats::SocketId id) {  // null: there are too many
    const auto at = sockets_.find(id);
    if (at != sockets_.end()) return &at->second;
    return sockets_.size() < kMost ? &sockets_[id] : nullptr;
  }
  void close(formats::SocketId id) {
    closed_.push_back(id);
    if (closed_.size() <= kClosedKept) return;
    sockets_.erase(closed_.front());
    closed_.pop_front();
  }

 private:
  std::unordered_map<formats::SocketId, Socket> sockets_;
  std::deque<formats::SocketId> closed_;
};

}  // namespace tailcap::node
