#include "analyze/tail/troubles.h"

#include <algorithm>

#include "analyze/model/wire/http2_errors.h"
#include "formats/event.h"

namespace tailcap::tail {
namespace {

constexpr std::size_t kMaxOpened = 64u << 10;
constexpr std::size_t kMaxTroublePeers = 10'000;  // different peers with failures; more are added up as one

}  // namespace

void Troubles::push(const formats::Event& event) {
  using formats::TcpState;
  if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    if (info->state != TcpState::syn_sent || opened_.size() >= kMaxOpened) return;
    model::Connection c;
    c.family = info->family;
    c.remote = info->remote;
    opened_[info->socket].peer = model::endpoint(c, true);
    return;
  }
  const auto* change = std::get_if<formats::StateChange>(&event.body);
  if (!change) return;
  // The thread that connects is on the change, which comes before the socket's description; that has no thread.
  if (change->to == TcpState::syn_sent) {
    if (opened_.size() < kMaxOpened)
      opened_[change->socket] = {{}, change->by_thread ? event.thread : formats::Thread{}, event.goroutine};
    return;
  }
  const auto it = opened_.find(change->socket);
  if (change->from == TcpState::syn_sent && change->to == TcpState::close) {
    const Opened from = it != opened_.end() ? it->second : Opened{};
    model::Trouble trouble{model::TroubleKind::connect, event.time, from.by, from.peer.empty() ? "unknown" : from.peer,
                           std::string(model::cause_of(change->error))};
    trouble.goroutine = from.goroutine;
    add(std::move(trouble));
  }
  if (it != opened_.end() && change->to == TcpState::close) opened_.erase(it);
}

void Troubles::push(const model::FailedName& name, model::ExchangeId row) {
  if (name.in_flight || listed_.size() >= kMaxListed) return;
  // Where it is not known when it was given up, it had not failed before it was asked for the last time.
  model::Trouble trouble{model::TroubleKind::name,
                         formats::known(name.done) ? name.done : name.last.began,
                         {name.asker.pid, name.asker.tid},
                         name.name,
                         name.cause};
  trouble.goroutine = name.asker.goroutine;
  trouble.row = row;
  listed_.push_back(std::move(trouble));
}

void Troubles::push(const model::TlsFacts& facts, const model::Connection& connection) {
  const bool client = facts.client == model::Direction::out;
  const formats::Time at = facts.alert && formats::known(facts.alert->at) ? facts.alert->at
                           : formats::known(connection.closed)            ? connection.closed
                                                                          : facts.began;
  add({model::TroubleKind::tls, at,
       facts.thread.tid != 0 ? formats::Thread{facts.thread.pid, facts.thread.tid} : opener(connection.socket),
       model::endpoint(connection, client), model::failure_text(facts)});
}

void Troubles::broke(const model::Connection& c) {
  add({model::TroubleKind::connect, c.closed, opener(c.socket), model::endpoint(c, true),
       std::string(c.error != 0 ? model::cause_of(c.error) : "reset before any request")});
}

void Troubles::dismissed(const model::Connection& c, std::uint32_t code) {
  ++total_;
  std::pair<std::string, std::string> key(model::endpoint(c, true), "GOAWAY " + model::http2_error(code));
  if (counts_.size() >= kMaxTroublePeers && !counts_.contains(key)) key.first = "other peers";
  ++counts_[key];
}

formats::Thread Troubles::opener(formats::SocketId socket) const {
  const auto it = opened_.find(socket);
  return it == opened_.end() ? formats::Thread{} : it->second.by;
}

void Troubles::add(model::Trouble trouble) {
  ++total_;
  const bool tls = trouble.kind == model::TroubleKind::tls;
  std::pair<std::string, std::string> key(trouble.what, (tls ? "TLS handshake: " : "") + trouble.cause);
  if (counts_.size() >= kMaxTroublePeers && !counts_.contains(key)) key.first = "other peers";
  ++counts_[key];
  if (formats::known(trouble.at) && listed_.size() < kMaxListed) listed_.push_back(std::move(trouble));
}

std::vector<model::ConnectionFailure> Troubles::connections() const {
  std::vector<model::ConnectionFailure> out;
  for (const auto& [key, count] : counts_) out.push_back({key.first, key.second, count});
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  return out;
}

std::vector<model::Trouble> Troubles::take() {
  std::stable_sort(listed_.begin(), listed_.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  return std::move(listed_);
}

}  // namespace tailcap::tail
