#include "capture/tls/older.h"

#include <utility>

#include "formats/event.h"
#include "ground/tls_record.h"

namespace tailcap::capture::tls {

using namespace formats;

namespace {

// Beginnings may be read some time after the list, and a process is known to be late some time after that moment.
constexpr Duration kRecent = std::chrono::seconds{5};
constexpr std::size_t kMaxBeginnings = 1u << 16, kMaxLate = 4096;

bool seen_to_begin(const SocketInfo& socket) {
  return socket.origin == Origin::connected || socket.origin == Origin::accepted;
}

bool carries_bytes(const SocketInfo& socket) {
  const bool tcp =
      socket.type == SocketType::stream && (socket.family == Family::inet || socket.family == Family::inet6);
  const bool open = socket.state == TcpState::established || socket.state == TcpState::close_wait ||
                    socket.state == TcpState::fin_wait1 || socket.state == TcpState::fin_wait2;
  return tcp && open;
}

}  // namespace

void OlderConnections::begin_list() { list_.clear(); }

void OlderConnections::listed(std::uint32_t pid, const SocketInfo& socket) {
  if (!carries_bytes(socket)) return;
  const auto known = connections_.find(socket.socket);
  Time since = known == connections_.end() ? kNoTime : known->second.since;
  if (seen_to_begin(socket) && !formats::known(since)) {
    const auto late = since_.find(pid);
    if (late == since_.end() || began_later(socket.socket, late->second)) return;
    since = late->second;
  }
  Connection& connection = list_[socket.socket];
  connection.pids.push_back(pid);
  if (connection.pids.size() > 1) return;
  connection.since = since;
  if (known != connections_.end()) {
    connection.others = known->second.others;
    connection.tls = known->second.tls;
  }
}

void OlderConnections::end_list() {
  connections_ = std::exchange(list_, {});
  late_.clear();
  since_.clear();  // what is listed later began later
  wants_list_ = false;
}

void OlderConnections::late(std::uint32_t pid, Time since) {
  late_.insert(pid);
  wants_list_ = true;
  if (since_.size() < kMaxLate) since_[pid] = since;
}

bool OlderConnections::began_later(SocketId socket, Time since) const {
  const auto found = began_.find(socket);
  return found != began_.end() && found->second > since;
}

void OlderConnections::take(const Event& event) {
  if (const auto* info = std::get_if<SocketInfo>(&event.body)) return begins(event.time, *info);
  if (connections_.empty()) return;
  if (const auto* io = std::get_if<Io>(&event.body)) {
    if (io->length == 0 || io->head.empty()) return;
    const auto found = connections_.find(io->socket);
    if (found == connections_.end() || found->second.tls) return;
    if (ground::tls::plausible(io->head))
      found->second.tls = true;
    else
      found->second.others++;
  } else if (const auto* change = std::get_if<StateChange>(&event.body)) {
    if (change->to == TcpState::close) connections_.erase(change->socket);
  }
}

void OlderConnections::begins(Time time, const SocketInfo& socket) {
  if (!seen_to_begin(socket)) return;
  const auto found = connections_.find(socket.socket);
  if (found != connections_.end() && known(found->second.since) && time > found->second.since)
    connections_.erase(found);
  beginnings_.emplace_back(time, socket.socket);
  began_[socket.socket] = time;
  while (beginnings_.size() > kMaxBeginnings || beginnings_.front().first + kRecent < time) {
    began_.erase(beginnings_.front().second);
    beginnings_.pop_front();
  }
}

std::set<std::uint32_t> OlderConnections::processes() const {
  std::set<std::uint32_t> processes = late_;
  for (const auto& [socket, connection] : connections_) {
    if (connection.tls || connection.others < kProof) processes.insert(connection.pids.begin(), connection.pids.end());
  }
  return processes;
}

}  // namespace tailcap::capture::tls
