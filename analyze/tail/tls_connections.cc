#include "analyze/tail/tls_connections.h"

#include <algorithm>
#include <utility>

namespace tailcap::tail {
namespace {

constexpr std::size_t kMaxTlsPeers = 2000;      // more are added up as one
constexpr std::size_t kMaxHandshakes = 4096;    // of a peer; the median is that of the first ones
constexpr std::size_t kMaxCauses = 64;          // different causes of a peer
constexpr std::size_t kMaxFollowed = 1u << 20;  // connections, at most, whose plaintext may still turn up

}  // namespace

TlsConnections::Peer& TlsConnections::peer_of(const model::TlsFacts& facts, const model::Connection* connection,
                                              std::uint32_t& index) {
  model::TlsPeer fresh;
  fresh.role_known = !facts.began_before && connection;
  if (fresh.role_known) {
    fresh.role = facts.client == model::Direction::out ? model::Role::client : model::Role::server;
    fresh.peer = model::endpoint(*connection, fresh.role == model::Role::client);
    fresh.server_name = facts.server_name;
  }
  std::string key;
  key += fresh.role_known ? fresh.role == model::Role::client ? 'c' : 's' : 'u';
  key += fresh.peer + '\0' + fresh.server_name;
  auto at = index_.find(key);
  if (at == index_.end() && peers_.size() >= kMaxTlsPeers) {
    fresh = {};
    fresh.peer = "other peers";
    key = "o";
    at = index_.find(key);
  }
  if (at == index_.end()) {
    at = index_.emplace(key, static_cast<std::uint32_t>(peers_.size())).first;
    peers_.emplace_back();
    peers_.back().sums = std::move(fresh);
  }
  index = at->second;
  return peers_[index];
}

void TlsConnections::push(const model::Message& m, const model::Connection* connection) {
  if (m.kind == model::MessageKind::handshake && m.tls) {
    const model::TlsFacts& facts = *m.tls;
    Open open;
    open.client = m.direction;
    open.asked = facts.outcome != model::TlsOutcome::done;  // that is not known
    Peer& peer = peer_of(facts, connection, open.peer);
    ++peer.sums.connections;
    ++peer.sums.encrypted;
    const bool failed = facts.outcome == model::TlsOutcome::failed;
    peer.sums.unread += !failed;
    if (facts.version != 0) {
      if (peer.version != 0 && peer.version != facts.version) peer.several_versions = true;
      peer.version = facts.version;
    }
    if (facts.outcome == model::TlsOutcome::done) {
      ++peer.sums.done;
      if (!facts.resumed)
        ++peer.sums.resumed_unknown;
      else
        peer.sums.resumed += *facts.resumed;
      if (formats::known(facts.began) && formats::known(facts.done) && facts.done >= facts.began) {
        if (peer.durations.size() < kMaxHandshakes) peer.durations.push_back((facts.done - facts.began).count());
      }
    } else if (facts.outcome == model::TlsOutcome::failed) {
      ++peer.sums.failed;
      std::string cause = model::failure_text(facts);
      if (peer.failures.size() >= kMaxCauses && !peer.failures.contains(cause)) cause = "other causes";
      ++peer.failures[cause];
    }
    if (of_.size() < kMaxFollowed) of_.emplace(m.connection, Unread{open.peer, true, !failed});
    if (const auto plain = plain_.find(m.connection); plain != plain_.end()) settle(m.connection, plain->second);
    open_.insert_or_assign(m.connection, open);
  } else if (m.kind == model::MessageKind::closed) {
    const auto at = open_.find(m.connection);
    if (at == open_.end()) return;
    at->second.ended = static_cast<std::uint8_t>(at->second.ended | 1u << static_cast<unsigned>(m.direction));
    if (m.direction == at->second.client && m.encrypted_bytes > 0) at->second.asked = true;
    if (at->second.ended != 3) return;
    if (!at->second.asked) nothing_asked(m.connection);
    if (connection) {
      model::TlsPeer& sums = peers_[at->second.peer].sums;
      sums.bytes_in += connection->bytes_in;
      sums.bytes_out += connection->bytes_out;
    }
    open_.erase(at);
  }
}

void TlsConnections::has_plaintext(model::ConnectionId id) {
  if (plain_.size() >= kMaxFollowed && !plain_.contains(id)) return;
  plain_[id] = true;
  settle(id, true);
}

void TlsConnections::has_session(model::ConnectionId id) {
  if (plain_.size() >= kMaxFollowed) return;
  settle(id, plain_.try_emplace(id, false).first->second);
}

void TlsConnections::settle(model::ConnectionId id, bool plaintext) {
  const auto at = of_.find(id);
  if (at == of_.end()) return;
  Unread& it = at->second;
  model::TlsPeer& sums = peers_[it.peer].sums;
  if (plaintext && std::exchange(it.encrypted, false)) --sums.encrypted;
  if (std::exchange(it.unread, false)) --sums.unread;
}

void TlsConnections::nothing_asked(model::ConnectionId id) {
  const auto at = of_.find(id);
  if (at != of_.end() && std::exchange(at->second.unread, false)) --peers_[at->second.peer].sums.unread;
}

std::vector<model::TlsPeer> TlsConnections::list() const {
  std::vector<model::TlsPeer> out;
  for (const Peer& peer : peers_) {
    model::TlsPeer& p = out.emplace_back(peer.sums);
    p.version = peer.several_versions ? "several" : model::tls_version(peer.version);
    std::vector<std::int64_t> d = peer.durations;
    p.timed = d.size();
    if (!d.empty()) {
      const auto middle = d.begin() + static_cast<std::ptrdiff_t>(d.size() / 2);
      std::nth_element(d.begin(), middle, d.end());
      p.median = model::Duration{*middle};
    }
    p.failures.assign(peer.failures.begin(), peer.failures.end());
    std::stable_sort(p.failures.begin(), p.failures.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.connections > b.connections; });
  return out;
}

std::uint64_t TlsConnections::encrypted() const {
  std::uint64_t n = 0;
  for (const Peer& peer : peers_) n += peer.sums.encrypted;
  return n;
}

std::uint64_t TlsConnections::unread(bool client) const {
  std::uint64_t n = 0;
  for (const Peer& peer : peers_)
    if (client == (peer.sums.role_known && peer.sums.role == model::Role::client)) n += peer.sums.unread;
  return n;
}

}  // namespace tailcap::tail
