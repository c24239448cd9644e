// Connections that are older than what is known of their processes: their TLS sessions have no keys. For each process,
// whether it has any left. What is known of a process may begin after its connections were seen to: late().
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/event_names.h"
#include "formats/socket_event.h"

namespace tailcap::capture::tls {

class OlderConnections {
 public:
  // Sends and receives of a connection, none of which begins like a record of TLS, until it counts as none of TLS.
  static constexpr unsigned kProof = 64;

  // A list of all sockets: its beginning, each socket once for each process that holds it, its end.
  void begin_list();
  void listed(std::uint32_t pid, const formats::SocketInfo& socket);
  void end_list();
  // A process became a target, and what it has is not known before the next list.
  void late(std::uint32_t pid) { late_.insert(pid); }
  // … and of what it had before that moment nothing is known, although its beginning was seen.
  void late(std::uint32_t pid, formats::Time since);
  bool wants_list() const { return wants_list_; }  // to know what these have
  void take(const formats::Event& event);
  // Those with such a connection, or of which that is not known.
  std::set<std::uint32_t> processes() const;

 private:
  struct Connection {
    std::vector<std::uint32_t> pids;
    unsigned others = 0;  // I/Os that do not begin like a record
    bool tls = false;
    formats::Time since = formats::kNoTime;  // it is none if it turns out to have begun after that
  };
  void begins(formats::Time time, const formats::SocketInfo& socket);
  bool began_later(formats::SocketId socket, formats::Time since) const;

  std::unordered_map<formats::SocketId, Connection> connections_, list_;
  std::set<std::uint32_t> late_;
  std::map<std::uint32_t, formats::Time> since_;                        // late processes
  std::deque<std::pair<formats::Time, formats::SocketId>> beginnings_;  // of the last seconds
  std::unordered_map<formats::SocketId, formats::Time> began_;          // the same
  bool wants_list_ = false;
};

}  // namespace tailcap::capture::tls
