#include "analyze/partition/history/pools.h"

#include <algorithm>

#include "analyze/model/partition.h"

namespace tailcap::partition {
namespace {

using formats::nanoseconds;

// From the end of a call until the next request that waits for the connection has it, and uses it.
constexpr Nanos kHandOver = 10'000'000;
constexpr std::size_t kMaxMembers = 256;
constexpr std::size_t kMaxLooked = 1024;  // sightings of two goroutines

}  // namespace

PoolWaits::PoolWaits(const Windows& windows, const Observed& observed) : windows_(windows), observed_(observed) {
  const auto& table = windows.table();
  for (model::ConnectionId c = 1; c < table.remotes.size(); ++c) {
    const auto rows = windows.on(c);
    if (table.remotes[c] == 0 || rows.empty() || table.rows.role(rows.front()) != model::Role::client) continue;
    if (is_setup(table.rows.protocol(rows.front()))) continue;
    if (const std::uint32_t pid = table.rows.work(rows.front()).pid; pid != 0)
      members_[{pid, table.remotes[c]}].push_back(c);
  }
}

std::optional<PoolWaits::Given> PoolWaits::given(const Window& waiting, std::uint32_t tid,
                                                 const OffCpuWait& wait) const {
  if (members_.empty() || !waiting.server() || !wait.woken() || wait.waker == 0 || wait.waker == tid)
    return std::nullopt;
  const ThreadLog* const giver = observed_.thread(wait.waker);
  const ThreadLog* const taker = observed_.thread(tid);
  if (!giver || !taker || giver->pid != taker->pid) return std::nullopt;
  const Act* const read = giver->acts.last_until(wait.runnable);
  const Act* const sent = taker->acts.first_after(wait.runnable);
  if (!read || read->out || sent == taker->acts.end() || !sent->out) return std::nullopt;
  auto out = proved(waiting, {read->connection, sent->connection, read->time, sent->time, wait.time, wait.runnable});
  if (out) out->tid = wait.waker;
  return out;
}

std::optional<PoolWaits::Given> PoolWaits::given(const Window& waiting, std::uint64_t goroutine, std::uint64_t by,
                                                 Nanos from, Nanos to) const {
  if (members_.empty() || !waiting.server() || by == 0 || by == goroutine) return std::nullopt;
  const Log<Sighting>* const giver = observed_.goroutine(waiting.pid, by);
  const Log<Sighting>* const taker = observed_.goroutine(waiting.pid, goroutine);
  if (!giver || !taker) return std::nullopt;
  const Sighting* read = giver->first_after(to);
  std::size_t looked = 0;
  do {
    if (read == giver->begin() || ++looked > kMaxLooked) return std::nullopt;
    --read;
  } while (read->connection == 0);
  const Sighting* sent = taker->first_after(to);
  while (sent != taker->end() && sent->connection == 0 && ++looked <= kMaxLooked) ++sent;
  if (sent == taker->end() || sent->connection == 0 || read->out || !sent->out) return std::nullopt;
  return proved(waiting, {read->connection, sent->connection, read->time, sent->time, from, to});
}

std::optional<PoolWaits::Given> PoolWaits::proved(const Window& waiting, const Turn& turn) const {
  const auto& table = windows_.table();
  if (turn.sent > waiting.to || std::max(turn.given, turn.taken) >= table.remotes.size()) return std::nullopt;
  if (table.remotes[turn.given] != table.remotes[turn.taken]) return std::nullopt;
  const auto call = windows_.at(turn.given, turn.read), next = windows_.at(turn.taken, turn.sent);
  if (!call || !next || *call == *next || table.rows.role(*call) != model::Role::client) return std::nullopt;
  const model::ExchangeId holder = windows_.owner(*call);
  if (holder == table.rows.id(*call) || holder == waiting.id || windows_.owner(*next) != waiting.id)
    return std::nullopt;
  // A wait that begins later is for something else: a lock of the pool, or of the interpreter.
  if (end_of(*call) > turn.to || end_of(*call) <= turn.from || !gave_back(*call, *next, holder, turn))
    return std::nullopt;
  const auto pool = members_.find({waiting.pid, table.remotes[turn.given]});
  if (pool == members_.end() || pool->second.size() > kMaxMembers) return std::nullopt;
  std::uint32_t used = 0;
  for (const model::ConnectionId c : pool->second) {
    const State state = c == turn.given ? State::used : state_of(c, waiting, turn);
    if (state == State::idle) return std::nullopt;
    used += state == State::used;
  }
  // One connection behind a lock looks the same.
  if (used < 2) return std::nullopt;
  return Given{holder, 0, model::PoolOfConnections{pool->first.second, used}.number()};
}

// The waiting request has the connection next. Or another one has it at once, and the waiting one, which had none, gets
// one later.
bool PoolWaits::gave_back(std::uint32_t call, std::uint32_t next, model::ExchangeId holder, const Turn& turn) const {
  const auto& rows = windows_.table().rows;
  // Rows are in order of their start, and so are their numbers.
  const auto place = [](std::span<const std::uint32_t> all, std::uint32_t row) {
    const auto at = std::lower_bound(all.begin(), all.end(), row);
    return at != all.end() && *at == row ? at : all.end();
  };
  const auto after = [&](std::uint32_t row) -> std::optional<std::uint32_t> {
    const auto all = windows_.on(rows.id(row).connection);
    const auto at = place(all, row);
    return at == all.end() || at + 1 == all.end() ? std::nullopt : std::optional(at[1]);
  };
  const auto user = after(call);
  if (!user) return false;
  if (*user == next) return true;
  const auto taken = windows_.on(turn.taken);
  const auto at = place(taken, next);
  if (at == taken.begin() || at == taken.end() || windows_.owner(at[-1]) == windows_.owner(next)) return false;
  const Nanos begun = nanoseconds(rows.start(*user));
  return windows_.owner(*user) != holder && begun >= turn.to && begun - turn.to <= kHandOver;
}

Nanos PoolWaits::end_of(std::uint32_t row) const {
  const auto& rows = windows_.table().rows;
  return rows.has_duration(row) ? nanoseconds(rows.start(row) + rows.duration(row)) : INT64_MAX;
}

// Used: by one request after the other all the time, between the calls of one request, too.
PoolWaits::State PoolWaits::state_of(model::ConnectionId connection, const Window& waiting, const Turn& turn) const {
  const auto& table = windows_.table();
  const auto rows = windows_.on(connection);
  const auto start = [&](std::uint32_t row) { return nanoseconds(table.rows.start(row)); };
  auto at =
      std::upper_bound(rows.begin(), rows.end(), turn.from, [&](Nanos t, std::uint32_t row) { return t < start(row); });
  if (at == rows.begin()) {
    // It was not there yet where its first request is the one that it was set up for.
    const model::Setup* const setup = table.setups.find(table.rows.id(*at));
    const bool fresh = setup && known(setup->connect_began) && nanoseconds(setup->connect_began) >= turn.from;
    return fresh ? State::missing : State::idle;
  }
  const EndLog* const end = observed_.end(connection);
  const Nanos closed = end && end->closed != 0 ? end->closed : INT64_MAX;
  for (--at;; ++at) {
    const Nanos over = end_of(*at);
    if (over >= turn.to - kHandOver) return State::used;
    if (at + 1 == rows.end()) {
      if (closed <= turn.from) return State::missing;
      return closed <= over + kHandOver ? State::used : State::idle;
    }
    const model::ExchangeId owner = windows_.owner(*at);
    const bool same = owner == windows_.owner(at[1]) && owner != table.rows.id(*at) && owner != waiting.id;
    if (!same && start(at[1]) - over > kHandOver) return State::idle;
    if (start(at[1]) >= turn.to) return State::used;
  }
}

}  // namespace tailcap::partition
