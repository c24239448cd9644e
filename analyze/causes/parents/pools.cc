#include "analyze/causes/parents/pools.h"

#include <algorithm>
#include <set>

namespace tailcap::causes {

using formats::known;

void Pools::index() {
  const auto& clients = process_.clients;
  for (std::uint32_t n = 0; n < clients.size(); ++n) {
    const Note& c = clients[n];
    Connection& connection = connections_[c.id.connection];
    if (connections_.size() > kMaxConnections) {
      connections_.clear();
      return;
    }
    connection.pool = c.pool;
    connection.calls.push_back(n);
  }
  before_.assign(clients.size(), -1);
  for (auto& [id, connection] : connections_) {
    const auto& calls = connection.calls;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const Note& call = clients[calls[i]];
      connection.shared = connection.shared || call.stream != 0;
      if (i == 0) continue;
      const Note& last = clients[calls[i - 1]];
      before_[calls[i]] = calls[i - 1];
      // A batch of one request is sent at once.
      if (or_later(last.ended) > call.began && call.began > std::max(last.began, last.request_done))
        connection.shared = true;
    }
  }
  for (std::uint32_t n = 0; n < process_.servers.size(); ++n) {
    const Note& s = process_.servers[n];
    if (!turns_.multiplexes(s.reader)) continue;
    Loop& loop = loops_[s.reader];
    loop.began.push_back(s.began);
    loop.answered.push_back(or_later(s.answered));
    if (s.writer == s.reader && known(s.answered)) loop.requests.push_back(n);
  }
  for (auto& [tid, loop] : loops_) {
    std::sort(loop.answered.begin(), loop.answered.end());
    std::sort(loop.requests.begin(), loop.requests.end(), [&](std::uint32_t a, std::uint32_t b) {
      return process_.servers[a].answered < process_.servers[b].answered;
    });
  }
  find_holders();
}

const Note* Pools::last_before(const Connection& c, Time t) const {
  const auto next = std::lower_bound(c.calls.begin(), c.calls.end(), t,
                                     [&](std::uint32_t n, Time at) { return process_.clients[n].began < at; });
  return next == c.calls.begin() ? nullptr : &process_.clients[*std::prev(next)];
}

Pools::Use Pools::use_at(Time t, Time waited, std::uint64_t pool) const {
  Use use;
  for (const auto& [id, connection] : connections_) {
    const Note* last = last_before(connection, t);
    if (!last || connection.shared) continue;
    const bool later = process_.clients[connection.calls.back()].began >= t;  // else it may be closed
    if (or_later(last->ended) >= t)
      ++use.under_way;
    else if (last->ended > waited)
      use.open.push_back(&connection);
    else if (later && (pool == 0 || pool == connection.pool))
      ++use.idle;
  }
  return use;
}

std::size_t Pools::under_way(const Loop& loop, Time t) const {
  const auto began = std::lower_bound(loop.began.begin(), loop.began.end(), t) - loop.began.begin();
  const auto over = std::lower_bound(loop.answered.begin(), loop.answered.end(), t) - loop.answered.begin();
  return static_cast<std::size_t>(began - over);
}

bool Pools::may_change_hands(std::uint32_t client) const {
  const Note& call = process_.clients[client];
  const std::int64_t last = before(client);
  const auto loop = loops_.find(call.writer);
  if (last < 0 || loop == loops_.end()) return false;
  if (loop->second.proofs >= kProof && loop->second.contradictions * 100 <= loop->second.proofs) return false;
  const Note& p = process_.clients[static_cast<std::size_t>(last)];
  const Time waited = turns_.last_wait_for_many(call.writer, call.began);
  if (connections_.at(call.id.connection).shared || !known(p.ended) || p.ended > call.began || p.ended <= waited)
    return false;
  const Use use = use_at(p.ended, waited, call.pool);
  return use.idle == 0 && under_way(loop->second, p.ended) > use.under_way + use.open.size();
}

void Pools::find_holders() {
  for (auto& [tid, loop] : loops_) {
    for (const std::uint32_t n : loop.requests) {
      const Time t = process_.servers[n].answered;
      const Use use = use_at(t, turns_.last_wait_for_many(tid, t), 0);
      if (use.idle > 0 || under_way(loop, t) <= use.under_way + use.open.size()) continue;
      ++(use.open.size() == 1 ? loop.proofs : loop.contradictions);
    }
    if (loop.proofs < kProof || loop.contradictions * 100 > loop.proofs) continue;
    if (holders_.empty()) holders_.assign(process_.clients.size(), -1);
    hold(tid, loop);
  }
}

void Pools::hold(std::uint32_t tid, const Loop& loop) {
  std::map<const Connection*, std::set<std::uint32_t>> ends;  // the last calls of requests
  std::vector<std::pair<const Connection*, std::uint32_t>> certain(loop.requests.size(), {nullptr, 0});
  for (std::size_t i = 0; i < loop.requests.size(); ++i) {
    const Time t = process_.servers[loop.requests[i]].answered;
    const Use use = use_at(t, turns_.last_wait_for_many(tid, t), 0);
    for (const Connection* c : use.open) {
      const auto last = static_cast<std::uint32_t>(last_before(*c, t) - process_.clients.data());
      ends[c].insert(last);
      if (use.open.size() == 1) certain[i] = {c, last};
    }
  }
  for (std::size_t i = 0; i < loop.requests.size(); ++i) {
    const auto [connection, last] = certain[i];
    if (!connection) continue;
    const Note& s = process_.servers[loop.requests[i]];
    const std::set<std::uint32_t>& borders = ends[connection];
    for (std::int64_t n = last; n >= 0; n = before_[static_cast<std::size_t>(n)]) {
      const Note& call = process_.clients[static_cast<std::size_t>(n)];
      if (call.began < s.began || call.writer != tid || (n != last && borders.contains(static_cast<std::uint32_t>(n))))
        break;
      holders_[static_cast<std::size_t>(n)] = loop.requests[i];
    }
  }
}

}  // namespace tailcap::causes
