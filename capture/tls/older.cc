#include "capture/tls/older.h"

#include <utility>

#include "ground/tls_record.h"

namespace tailcap::capture::tls {

using namespace formats;

namespace {

bool older(const SocketInfo& socket) {
  const bool tcp =
      socket.type == SocketType::stream && (socket.family == Family::inet || socket.family == Family::inet6);
  const bool seen_beginning = socket.origin == Origin::connected || socket.origin == Origin::accepted;
  const bool open = socket.state == TcpState::established || socket.state == TcpState::close_wait ||
                    socket.state == TcpState::fin_wait1 || socket.state == TcpState::fin_wait2;
  return tcp && open && !seen_beginning;
}

}  // namespace

void OlderConnections::begin_list() { list_.clear(); }

void OlderConnections::listed(std::uint32_t pid, const SocketInfo& socket) {
  if (!older(socket)) return;
  Connection& connection = list_[socket.socket];
  connection.pids.push_back(pid);
  if (connection.pids.size() > 1) return;
  if (const auto known = connections_.find(socket.socket); known != connections_.end()) {
    connection.others = known->second.others;
    connection.tls = known->second.tls;
  }
}

void OlderConnections::end_list() {
  connections_ = std::exchange(list_, {});
  late_.clear();
}

void OlderConnections::take(const Event& event) {
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

std::set<std::uint32_t> OlderConnections::processes() const {
  std::set<std::uint32_t> processes = late_;
  for (const auto& [socket, connection] : connections_) {
    if (connection.tls || connection.others < kProof) processes.insert(connection.pids.begin(), connection.pids.end());
  }
  return processes;
}

}  // namespace tailcap::capture::tls
