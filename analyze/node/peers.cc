#include "analyze/node/peers.h"

#include <algorithm>
#include <cerrno>

#include "analyze/model/wire/connection.h"
#include "formats/event.h"

namespace tailcap::node {
namespace {

using formats::TcpState;

std::string cause_of(int error) {
  switch (error) {
    case 0:
    case ECONNREFUSED:
    case ETIMEDOUT:
    case ECONNRESET:
    case ECONNABORTED:
      return std::string(model::cause_of(error));
    case EHOSTUNREACH:
      return "no route to host";
    case ENETUNREACH:
      return "network unreachable";
    default:
      return "error " + std::to_string(error);
  }
}

}  // namespace

std::string PeerTable::remote_of(formats::SocketId id) const {
  const Socket* socket = sockets_.find(id);
  return !socket || socket->remote.empty() ? "unknown" : socket->remote;
}

void PeerTable::add(Counts& counts, Key key, std::uint64_t bytes) {
  if (counts.size() >= kMaxPeers && !counts.contains(key)) key = {"others", {key.second.first, 0}};
  Count& count = counts[key];
  ++count.count;
  count.bytes += bytes;
}

void PeerTable::push(const formats::Event& event, const ProcessNames& names) {
  if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    auto remote = remote_end(*info);
    if (!remote) return;
    if (Socket* socket = sockets_.find_or_add(info->socket)) socket->remote = std::move(*remote);
  } else if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
    if (change->to == TcpState::syn_sent && change->by_thread) {
      if (Socket* socket = sockets_.find_or_add(change->socket)) socket->pid = event.thread.pid;
    }
    if (change->from == TcpState::syn_sent && change->to == TcpState::close) {
      const Socket* socket = sockets_.find(change->socket);
      const std::uint32_t pid = socket ? socket->pid : 0;
      add(failures_, {remote_of(change->socket), {cause_of(change->error), pid}});
      if (const std::string& name = names.of(pid); !name.empty() && names_.size() < kMaxPeers) names_[pid] = name;
    }
    if (change->to == TcpState::close) sockets_.close(change->socket);
  } else if (const auto* reset = std::get_if<formats::Reset>(&event.body)) {
    add(reset->direction == formats::Direction::out ? sent_ : received_, {remote_of(reset->socket), {}});
  } else if (const auto* again = std::get_if<formats::Retransmit>(&event.body)) {
    add(retransmits_, {remote_of(again->socket), {}}, again->length);
  }
}

std::uint64_t PeerTable::list(const Counts& counts, const std::unordered_map<std::uint32_t, std::string>& names,
                              std::vector<model::PeerTrouble>& out) {
  std::uint64_t sum = 0;
  for (const auto& [key, count] : counts) {
    const auto name = names.find(key.second.second);
    out.push_back({key.first, key.second.first, name == names.end() ? "" : name->second, key.second.second, count.count,
                   count.bytes});
    sum += count.count;
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  if (out.size() > model::NodeStudy::kMaxListed) out.resize(model::NodeStudy::kMaxListed);
  return sum;
}

void PeerTable::fill(model::NodeStudy& study) const {
  study.connect_count = list(failures_, names_, study.connect_failures);
  study.resets_sent_count = list(sent_, names_, study.resets_sent);
  study.resets_received_count = list(received_, names_, study.resets_received);
  study.retransmit_count = list(retransmits_, names_, study.retransmits);
}

}  // namespace tailcap::node
