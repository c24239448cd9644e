#include <algorithm>
#include <cerrno>

#include "analyze/model/wire/connection.h"
#include "analyze/tail/quality.h"

namespace tailcap::tail {
namespace {

constexpr std::size_t kMaxConnecting = 64u << 10;
constexpr std::size_t kMaxPeers = 10'000;  // different peers with failures; more are added up as one

}  // namespace

std::string_view cause_of(int error) {
  switch (error) {
    case 0:
      return "given up";
    case ECONNREFUSED:
      return "refused";
    case ETIMEDOUT:
      return "timed out";
    case ECONNRESET:
      return "reset by peer";
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "unreachable";
    case ECONNABORTED:
      return "aborted";
    case EPIPE:
      return "broken pipe";
    default:
      return "other error";
  }
}

void ConnectFailures::push(const formats::Event& event) {
  using formats::TcpState;
  if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    if (info->state != TcpState::syn_sent || connecting_.size() >= kMaxConnecting) return;
    model::Connection c;
    c.family = info->family;
    c.remote = info->remote;
    connecting_.insert_or_assign(info->socket, model::endpoint(c, true));
    return;
  }
  const auto* change = std::get_if<formats::StateChange>(&event.body);
  if (!change) return;
  const auto it = connecting_.find(change->socket);
  if (change->from == TcpState::syn_sent && change->to == TcpState::close)
    add(it != connecting_.end() ? it->second : "unknown", cause_of(change->error));
  if (it != connecting_.end() && change->to != TcpState::syn_sent) connecting_.erase(it);
}

void ConnectFailures::add(const std::string& peer, std::string_view cause) {
  ++total_;
  std::pair<std::string, std::string> key(peer, cause);
  if (counts_.size() >= kMaxPeers && !counts_.contains(key)) key.first = "other peers";
  ++counts_[key];
}

std::vector<model::ConnectionFailure> ConnectFailures::list() const {
  std::vector<model::ConnectionFailure> out;
  for (const auto& [key, count] : counts_) out.push_back({key.first, key.second, count});
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  return out;
}

}  // namespace tailcap::tail
