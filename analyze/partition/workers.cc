#include "analyze/partition/workers.h"

#include <algorithm>
#include <span>
#include <vector>

namespace tailcap::partition {
namespace {

// A thread that was on a CPU this shortly before can have woken it.
constexpr Nanos kShort = 50'000;
// How long a loop may take from its wake-up to the first bytes that it then sends.
constexpr Nanos kCallback = 5'000'000;
// How many results of a worker are looked at.
constexpr std::size_t kMostResults = 64;
// Waits of a thread, before and after a moment, among which that for a job is looked for.
constexpr std::ptrdiff_t kWaitsSeen = 64;
// Threads that wait for jobs sleep within one condition variable.
constexpr std::uint64_t kCondition = 64;

bool near(const OffCpuWait& w, std::uint64_t place) {
  return w.blocked == Blocked::futex && (w.argument0 > place ? w.argument0 - place : place - w.argument0) < kCondition;
}

std::span<const OffCpuWait> around(const ThreadLog& log, Nanos at) {
  const OffCpuWait* middle = log.waits.first_at(at);
  const OffCpuWait* first = middle - std::min(kWaitsSeen, middle - log.waits.begin());
  return {first, middle + std::min(kWaitsSeen, log.waits.end() - middle)};
}

// Where it waits for jobs: longest; 0: not known.
std::uint64_t resting_place(const ThreadLog& log, Nanos at) {
  const OffCpuWait* longest = nullptr;
  for (const OffCpuWait& w : around(log, at))
    if (w.blocked == Blocked::futex && (!longest || w.back - w.time > longest->back - longest->time)) longest = &w;
  return longest ? longest->argument0 : 0;
}

}  // namespace

std::optional<Workers::Taken> Workers::taken_late(Nanos from, const OffCpuWait& idle) const {
  const ThreadLog* log = idle.waker != 0 && idle.waker != tid_ ? k_.observed.thread(idle.waker) : nullptr;
  const ProcessLog* process = k_.observed.process(log_.pid);
  if (!log || !process || log->pid != log_.pid || log->known_since == 0 || log->known_since > from ||
      log->acts.size() != 0)
    return std::nullopt;
  const OffCpuWait* before = log->waits.last_until(from);
  if (before && before->back > from && before->blocked == Blocked::futex) return std::nullopt;
  std::vector<Nanos> given;  // results
  for (const Wake* w = process->wakes.first_after(from); w != process->wakes.end() && w->time < idle.time; ++w)
    if (w->by == idle.waker && w->tid == tid_) given.push_back(w->time);
  for (const Wake* s = process->signals.first_after(from); s != process->signals.end() && s->time < idle.time; ++s)
    if (s->by == idle.waker) given.push_back(s->time);
  if (given.empty()) return std::nullopt;
  std::ranges::sort(given);
  Taken out{given.back(), {}, idle.waker};
  Nanos done = idle.runnable;
  out.places = model::PoolOfConnections{0, busy_threads(*log, from, done)}.number();
  // It waited for the longest of these jobs most, which is named if that was half of the wait: the loop may go on with
  // a request in the turn of another one's result. The request itself may be handed over several times in between, in
  // steps for which the loop moves no bytes.
  Nanos longest = (out.at - from) / 2;
  for (std::size_t i = given.size() - std::min(given.size(), kMostResults); i < given.size(); ++i) {
    const Nanos began = i == 0 ? from : given[i - 1];
    if (given[i] - began <= longest) continue;
    const model::ExchangeId behind = went_on_with(given[i]);
    const auto row = behind.connection != 0 ? k_.windows.find(behind) : std::nullopt;
    const Nanos job = row ? given[i] - std::max(began, k_.windows.window(*row).from) : 0;
    if (job <= longest) continue;
    longest = job;
    out.behind = behind;
  }
  return out;
}

std::uint32_t Workers::busy_threads(const ThreadLog& one, Nanos from, Nanos& done) const {
  const ProcessLog* process = k_.observed.process(log_.pid);
  const std::uint64_t place = resting_place(one, from);
  if (!process || process->threads.size() == ProcessLog::kMaxListed || place == 0) return 0;
  std::uint32_t threads = 0;
  for (const std::uint32_t tid : process->threads) {
    const ThreadLog* log = tid != tid_ ? k_.observed.thread(tid) : nullptr;
    if (!log) continue;
    const auto waits = around(*log, from);
    if (std::ranges::none_of(waits, [&](const OffCpuWait& w) { return near(w, place); })) continue;
    const bool idle = std::ranges::any_of(
        waits, [&](const OffCpuWait& w) { return near(w, place) && w.time <= from && w.back > from; });
    if (idle || log->known_since == 0 || log->known_since > from || log->acts.size() != 0) return 0;
    ++threads;
    for (const OffCpuWait& w : waits)
      if (near(w, place) && w.time > from) done = std::min(done, w.time);
  }
  return threads;
}

Workers::Taken Workers::all_busy(Nanos from, const OffCpuWait& idle) const {
  const ThreadLog* log = idle.waker != 0 && idle.waker != tid_ ? k_.observed.thread(idle.waker) : nullptr;
  const ProcessLog* process = k_.observed.process(log_.pid);
  if (!log || !process || log->pid != log_.pid) return {from};
  Taken out{idle.runnable};
  const std::uint32_t threads = busy_threads(*log, from, out.at);
  if (threads == 0 || out.at <= from) return {from};
  out.places = model::PoolOfConnections{0, threads}.number();
  for (const Wake* w = process->wakes.first_after(from); w != process->wakes.end() && w->time < out.at; ++w)
    if (const ThreadLog* by = w->tid == tid_ ? k_.observed.thread(w->by) : nullptr; by && by->acts.size() == 0)
      out.at = w->time;
  // All were busy at `from`, so it was handed over before.
  const model::ExchangeId behind = went_on_with(out.at);
  const auto row = behind.connection != 0 ? k_.windows.find(behind) : std::nullopt;
  if (row && k_.windows.window(*row).from < from) out.behind = behind;
  return out;
}

bool Workers::elsewhere(std::uint32_t tid) const {
  const ThreadLog* log = tid != 0 ? k_.observed.thread(tid) : nullptr;
  return tid != 0 && (!log || log->pid != log_.pid);
}

model::ExchangeId Workers::went_on_with(Nanos given) const {
  // The loop may have to wait for a CPU first.
  const OffCpuWait* asleep = log_.waits.last_until(given);
  const Nanos noticed = asleep ? std::max(given, asleep->back) : given;
  const LoopTimeline::Range after = timeline_.range(given, noticed + kCallback, range_);
  for (std::uint64_t i = after.first; i <= after.last && after.size() != 0; ++i)
    if (const LoopTurn& t = timeline_.turn(i); !t.idle)  // of no request: what comes later had another reason
      return t.owner == draft_.w.id ? model::ExchangeId{} : t.owner;
  return {};
}

bool Workers::active(std::uint32_t tid, Nanos t) const {
  const ThreadLog* log = k_.observed.thread(tid);
  if (!log) return false;
  const OffCpuWait* next = log->waits.first_at(t - kShort);
  if (next == log->waits.end()) return false;
  const OffCpuWait* before = next == log->waits.begin() ? nullptr : next - 1;
  return (before ? before->back : log->born) <= t;
}

bool Workers::alone(Nanos woken) const {
  const ProcessLog* process = k_.observed.process(log_.pid);
  if (!process || process->threads.size() == ProcessLog::kMaxListed) return false;
  return std::none_of(process->threads.begin(), process->threads.end(),
                      [&](std::uint32_t tid) { return tid != tid_ && active(tid, woken); });
}

Wake Workers::worker(Nanos from, Nanos woken) const {
  const ProcessLog* process = k_.observed.process(log_.pid);
  if (!process) return {};
  Nanos since = draft_.w.from;
  for (const LoopTurn& t : own_)
    if (t.from < from) since = t.from;
  const auto begun = [&](std::uint32_t tid) {
    const ThreadLog* log = k_.observed.thread(tid);
    if (log && log->born >= since && log->born < from + kPrompt) return Wake{log->born, tid_, tid};
    for (const Wake* w = process->wakes.first_at(since); w != process->wakes.end() && w->time < from + kPrompt; ++w)
      if (w->by == tid_ && w->tid == tid) return *w;
    return Wake{};
  };
  // A send is stamped when it is done; it woke its receiver before that.
  for (const Wake* s = process->signals.last_until(woken + kPrompt); s && s->time > woken - kPrompt;
       s = s == process->signals.begin() ? nullptr : s - 1)
    if (const Wake w = s->by != tid_ ? begun(s->by) : Wake{}; w.tid != 0) return w;
  for (const Wake* w = process->wakes.first_at(since);
       w != process->wakes.end() && w->time < std::min(woken, from + kPrompt); ++w) {
    if (w->by == tid_ && w->tid != tid_ && active(w->tid, woken)) return *w;
  }
  return {};
}

}  // namespace tailcap::partition
