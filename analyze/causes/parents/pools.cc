#include "analyze/causes/parents/pools.h"

#include <algorithm>
#include <set>

#include "ground/fnv.h"

namespace tailcap::causes {

using formats::known;

namespace {

constexpr std::size_t kProof = 8;  // places, or answers while others wait, before a kind of pool is believed
// One contradiction in this number of proofs is believed to be a coincidence.
constexpr std::size_t kOfHolding = 100;
// More are allowed here: where each call takes a connection, every kind of calls is as often first as later, and a
// wrong end is recognised by the call that follows it.
constexpr std::size_t kOfFirsts = 20;

bool proved(std::size_t proofs, std::size_t contradictions, std::size_t in) {
  return proofs >= kProof && contradictions * in <= proofs;
}

}  // namespace

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
  if (proved(loop->second.proofs, loop->second.contradictions, kOfHolding)) return false;
  if (!loop->second.firsts.empty() && !loop->second.firsts.contains(kind_of(client))) return false;
  const Note& p = process_.clients[static_cast<std::size_t>(last)];
  const Time waited = turns_.last_wait_for_many(call.writer, call.began);
  if (connections_.at(call.id.connection).shared || !known(p.ended) || p.ended > call.began || p.ended <= waited)
    return false;
  return awaited(loop->second, p, waited, call.began);
}

bool Pools::awaited(const Loop& loop, const Note& call, Time waited, Time until) const {
  const Use use = use_at(call.ended, waited, call.pool);
  return use.idle == 0 && under_way(loop, until) > use.under_way + use.open.size();
}

void Pools::find_holders() {
  for (auto& [tid, loop] : loops_) {
    for (const std::uint32_t n : loop.requests) {
      const Time t = process_.servers[n].answered;
      const Use use = use_at(t, turns_.last_wait_for_many(tid, t), 0);
      if (use.idle > 0 || under_way(loop, t) <= use.under_way + use.open.size()) continue;
      ++(use.open.size() == 1 ? loop.proofs : loop.contradictions);
    }
    if (proved(loop.proofs, loop.contradictions, kOfHolding)) {
      if (holders_.empty()) holders_.assign(process_.clients.size(), -1);
      hold(tid, loop);
      continue;
    }
    const Ends ends = ends_of(tid, loop);
    find_firsts(tid, loop, ends);
    if (!loop.firsts.empty()) hold_passed(tid, loop, ends);
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

// Its operation and what it is done to, but for numbers.
std::uint64_t Pools::kind_of(std::uint32_t client) const {
  const Note& call = process_.clients[client];
  std::uint64_t kind = ground::kFnvBasis ^ call.method;
  bool number = false;
  for (const char c : texts_[call.target]) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit || !number) kind = ground::fnv_step(kind, digit ? '0' : static_cast<unsigned char>(c));
    number = digit;
  }
  return kind;
}

std::vector<std::uint32_t> Pools::read_in(Time waited, Time t) const {
  std::vector<std::uint32_t> calls;
  for (const auto& [id, connection] : connections_) {
    const Note* last = connection.shared ? nullptr : last_before(connection, t);
    if (!last) continue;
    auto n = last - process_.clients.data();
    if (or_later(last->ended) > t) n = before_[static_cast<std::size_t>(n)];
    if (n < 0) continue;
    const Time ended = process_.clients[static_cast<std::size_t>(n)].ended;
    if (known(ended) && ended <= t && ended > waited) calls.push_back(static_cast<std::uint32_t>(n));
  }
  return calls;
}

Pools::Ends Pools::ends_of(std::uint32_t tid, const Loop& loop) const {
  Ends ends;
  for (const std::uint32_t n : loop.requests) {
    const Note& s = process_.servers[n];
    const auto calls = read_in(turns_.last_wait_for_many(tid, s.answered), s.answered);
    const bool one =
        calls.size() == 1 && process_.clients[calls[0]].began >= s.began && process_.clients[calls[0]].writer == tid;
    if (one && ends.certain.emplace(calls[0], n).second) continue;
    ends.possible.insert(calls.begin(), calls.end());
  }
  for (const std::uint32_t call : ends.possible) ends.certain.erase(call);
  return ends;
}

void Pools::find_firsts(std::uint32_t tid, Loop& loop, const Ends& ends) const {
  std::unordered_map<std::uint64_t, Places> kinds;
  for (const auto& [id, connection] : connections_) {
    for (std::size_t i = 1; i < connection.calls.size() && !connection.shared; ++i) {
      const std::uint32_t n = connection.calls[i], last = connection.calls[i - 1];
      const Note &call = process_.clients[n], &before = process_.clients[last];
      if (call.writer != tid || !known(before.ended) || before.ended > call.began || ends.possible.contains(last))
        continue;
      const Time waited = turns_.last_wait_for_many(tid, call.began);
      if (before.ended <= waited || !awaited(loop, before, waited, before.ended)) continue;
      Places& places = kinds[kind_of(n)];
      ++(ends.certain.contains(last) ? places.first : places.later);
    }
  }
  std::size_t first = 0, later = 0, both = 0;
  for (const auto& [kind, places] : kinds) {
    first += places.first;
    later += places.later;
    both += std::min(places.first, places.later);
  }
  if (!proved(first, both, kOfFirsts) || !proved(later, both, kOfFirsts)) return;
  for (const auto& [kind, places] : kinds)
    if (places.first > 0 && places.later * kOfFirsts <= places.first) loop.firsts.insert(kind);
}

// From its last call on a connection back to the one with which a request begins. What is called next is a first call,
// too: else another request was answered, for a reason of its own, while this one had the connection.
void Pools::hold_passed(std::uint32_t tid, const Loop& loop, const Ends& ends) {
  if (holders_.empty()) holders_.assign(process_.clients.size(), -1);
  std::vector<std::int64_t> next(process_.clients.size(), -1);
  for (std::uint32_t n = 0; n < before_.size(); ++n)
    if (before_[n] >= 0) next[static_cast<std::size_t>(before_[n])] = n;
  for (const auto& [last, request] : ends.certain) {
    if (next[last] >= 0 && !loop.firsts.contains(kind_of(static_cast<std::uint32_t>(next[last])))) continue;
    std::vector<std::size_t> held;
    for (std::int64_t n = last; n >= 0; n = before_[static_cast<std::size_t>(n)]) {
      const auto number = static_cast<std::uint32_t>(n);
      const Note& call = process_.clients[number];
      if (call.began < process_.servers[request].began || call.writer != tid ||
          (number != last && (ends.certain.contains(number) || ends.possible.contains(number))))
        break;
      held.push_back(number);
      if (!loop.firsts.contains(kind_of(number))) continue;
      for (const std::size_t one : held) holders_[one] = request;
      break;
    }
  }
}

}  // namespace tailcap::causes
