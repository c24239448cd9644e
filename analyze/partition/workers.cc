#include "analyze/partition/workers.h"

#include <algorithm>
#include <vector>

namespace tailcap::partition {
namespace {

// A thread that was on a CPU this shortly before can have woken it.
constexpr Nanos kShort = 50'000;
// How long a loop may take from its wake-up to the first bytes that it then sends.
constexpr Nanos kCallback = 5'000'000;
// How many results of a worker are looked at.
constexpr std::size_t kMostResults = 64;

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
  std::sort(given.rbegin(), given.rend());
  Taken out{given.front(), {}, idle.waker};
  // The request may be handed over several times in between, in steps for which the loop moves no bytes.
  for (std::size_t i = 0; i < std::min(given.size(), kMostResults) && out.behind.connection == 0; ++i)
    out.behind = went_on_with(given[i]);
  return out;
}

model::ExchangeId Workers::went_on_with(Nanos given) const {
  // The loop may have to wait for a CPU first.
  const OffCpuWait* asleep = log_.waits.last_until(given);
  const Nanos noticed = asleep ? std::max(given, asleep->back) : given;
  const LoopTimeline::Range after = timeline_.range(given, noticed + kCallback, range_);
  for (std::uint64_t i = after.first; i <= after.last && after.size() != 0; ++i)
    if (const LoopTurn& t = timeline_.turn(i); !t.idle && t.owner.connection != 0)
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
