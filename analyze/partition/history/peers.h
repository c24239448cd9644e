// The other ends of sockets, and which recorded processes have them.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/model/partition.h"
#include "formats/socket_event.h"

namespace tailcap::partition {

class SocketPeers {
 public:
  static constexpr std::size_t kMaxPeers = 16u << 10;    // addresses; further ones are not known
  static constexpr std::size_t kMaxSockets = 64u << 10;  // that are compared with each other
  static constexpr std::size_t kMaxProcesses = 64u << 10;

  // The number of its remote end, from 1; 0: it has no address, or there are too many, or it was not asked for.
  // carries: the socket carries requests.
  std::uint32_t describe(const formats::SocketInfo& info, bool numbered, bool carries);
  std::uint32_t number_of(formats::SocketId socket) const;      // likewise
  formats::SocketId other_end(formats::SocketId socket) const;  // 0: not known
  // The host at its remote end, likewise; of TCP connections that carry requests.
  std::uint32_t host_of(formats::SocketId socket) const;
  // The process at its other end: that moves bytes of it, or that connected to this socket; 0: not known.
  std::uint32_t client_of(formats::SocketId socket) const;
  // The process that moves bytes of this socket; 0: not known.
  std::uint32_t process_of(formats::SocketId socket) const;
  // The process moves bytes of this socket.
  void used(formats::SocketId socket, std::uint32_t pid);
  void named(std::uint32_t pid, std::string_view name);
  std::vector<model::SocketPeer> all() const;

 private:
  struct End {
    std::uint32_t peer = 0;  // of its own
    std::uint32_t host = 0;
    std::uint32_t client = 0;  // the process that connected to it, as the kernel says
    std::uint32_t pid = 0;
    formats::SocketId other = 0;  // the socket at the other end; 0: not found
    bool joined = false;          // both its addresses are known
  };
  std::uint32_t number(const formats::SocketInfo& info);
  std::uint32_t host(const formats::SocketInfo& info);
  std::uint32_t add(const std::string& key, std::string address, std::uint16_t port);
  void join(formats::SocketId socket, const std::string& own, const std::string& half, const std::string& theirs);
  void told(std::uint32_t peer, std::uint32_t pid);

  std::vector<model::SocketPeer> peers_;
  std::vector<bool> several_;  // processes at one address
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::unordered_map<formats::SocketId, End> ends_;
  std::unordered_map<std::string, formats::SocketId> waiting_;  // by what the other end would say of itself
  std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace tailcap::partition
