#include "analyze/partition/history/lock_holders.h"

#include <algorithm>

namespace tailcap::partition {
namespace {

// A holder's own wait is found among this many of its waits.
constexpr std::size_t kTriesForOwn = 64;

}  // namespace

// The request on whose connection the thread last moved bytes, if it is under way then.
std::optional<std::uint32_t> LockHolders::worked_on(std::uint32_t tid, Nanos at) const {
  const ThreadLog* log = tid != 0 ? observed_.thread(tid) : nullptr;
  const Act* act = log ? log->acts.last_until(at) : nullptr;
  if (!act) return std::nullopt;
  if (const auto row = windows_.at(act->connection, at)) return row;
  // It has just read the answer to a call of its request.
  const auto made = act->owner.connection == 0 ? std::nullopt : windows_.find(act->owner);
  if (!made) return std::nullopt;
  const Window w = windows_.window(*made);
  return w.from <= at && at < w.to ? made : std::nullopt;
}

const OffCpuWait* LockHolders::own_wait(const OffCpuWait& woken, const OffCpuWait& first) const {
  const ThreadLog* const waker = woken.waker != 0 && woken.waker != tid_ ? observed_.thread(woken.waker) : nullptr;
  const ThreadLog* const log = waker ? observed_.thread(tid_) : nullptr;
  if (!log || waker->pid != log->pid) return nullptr;
  const OffCpuWait* at = waker->waits.last_before(woken.runnable);
  for (std::size_t tries = 0; at && tries < kTriesForOwn && at->back > first.time; ++tries, --at) {
    if (at->blocked == Blocked::futex && at->argument0 == first.argument0 && at->runnable > first.time &&
        at->runnable < woken.runnable)
      return at;
    if (at->lost_before || at == waker->waits.begin()) return nullptr;
  }
  return nullptr;
}

LockHolder LockHolders::of_futex(const OffCpuWait& wait) const {
  const ThreadLog* const log = wait.waker == 0 && wait.due != 0 ? observed_.thread(tid_) : nullptr;
  const std::uint32_t tid = log ? running_alone(log->pid, wait) : wait.waker;
  const auto row = worked_on(tid, wait.runnable);
  const model::ExchangeId request = row ? windows_.owner(*row) : model::ExchangeId{};
  return {request == waiting_.id ? model::ExchangeId{} : request, tid};
}

// The only thread of the process that ran for most of the wait; 0: there is none.
std::uint32_t LockHolders::running_alone(std::uint32_t pid, const OffCpuWait& wait) const {
  const ProcessLog* process = observed_.process(pid);
  if (!process || process->threads.size() == ProcessLog::kMaxListed) return 0;
  std::uint32_t found = 0;
  for (const std::uint32_t tid : process->threads) {
    const ThreadLog* log = tid != tid_ ? observed_.thread(tid) : nullptr;
    if (!log || log->known_since == 0 || log->known_since > wait.time) continue;
    Nanos ran = wait.runnable - wait.time;
    const OffCpuWait* off = log->waits.last_until(wait.time);
    for (off = off ? off : log->waits.begin(); off != log->waits.end() && off->time < wait.runnable; ++off)
      ran -= std::max<Nanos>(0, std::min(off->back, wait.runnable) - std::max(off->time, wait.time));
    if (2 * ran <= wait.runnable - wait.time) continue;
    if (found != 0) return 0;
    found = tid;
  }
  return found;
}

LockHolder LockHolders::of_file(const OffCpuWait& wait) const {
  const ThreadLog* other = wait.waker != 0 ? observed_.thread(wait.waker) : nullptr;
  const Act* act = other ? other->acts.last_until(wait.runnable) : nullptr;
  model::ExchangeId request;
  if (act && act->time >= wait.time && act->owner != waiting_.id) request = act->owner;
  if (request.connection != 0 || !act) return {request, wait.waker};
  if (const auto row = windows_.at(act->connection, wait.runnable)) request = windows_.owner(*row);
  return {request == waiting_.id ? model::ExchangeId{} : request, wait.waker};
}

model::ExchangeId LockHolders::of_session(const OffCpuWait& wait) const {
  const auto& rows = windows_.table().rows;
  if (!wait.woken() || !waiting_.server() || !has_statements(rows.protocol(waiting_.row))) return {};
  const auto row = wait.waker != tid_ ? worked_on(wait.waker, wait.runnable) : std::nullopt;
  if (!row || rows.id(*row).connection == waiting_.id.connection) return {};
  if (rows.role(*row) != model::Role::server || rows.protocol(*row) != rows.protocol(waiting_.row)) return {};
  return rows.id(*row);
}

}  // namespace tailcap::partition
