#include "analyze/partition/draft/running.h"

#include <algorithm>

#include "analyze/partition/draft/carrying_thread.h"
#include "analyze/partition/draft/descriptor_wait.h"
#include "analyze/partition/history/busy_loop.h"

namespace tailcap::partition {
namespace {

using model::Evidence;
using model::Label;

// A quota's periods end on timer ticks (CONFIG_HZ=250 at worst).
constexpr Nanos kTick = 4'000'000;

// The kernel may let a timer expire 50 µs late, to serve several at once.
constexpr Nanos kTimerSlack = 100'000;

// The holders that are named of a queue for a lock.
constexpr int kMostTurns = 64;

// Where a request has all of an interval on the CPU but this much, what was stolen from the interval was stolen from
// it.
constexpr Nanos kSliver = 100'000;

class Running {
 public:
  Running(const DraftContext& k, std::uint32_t tid, const ThreadLog& log, std::span<const Call> calls, Draft& draft)
      : thread_(k, tid, log, calls, draft) {}

  void wait(const OffCpuWait& w, Nanos from, Nanos to) {
    thread_.from = from;
    thread_.to = to;
    const Nanos until = w.waited_until();
    switch (w.blocked) {
      case Blocked::born:
        break;
      case Blocked::preempted:
        if (const auto t = maybe_throttled(w) ? throttling(w) : CpuQuotas::Throttling{}; t.some)
          add(w.time, w.back, Label::sched_throttled, Evidence::inferred, of_group(t));
        else
          add(w.time, w.back, Label::sched_preempted);
        return;
      case Blocked::throttled:
        add(w.time, w.back, Label::sched_throttled, Evidence::measured, of_group(throttling(w)));
        return;
      case Blocked::poll:
      case Blocked::poll_one:
      case Blocked::input:
      case Blocked::output:
      case Blocked::accept:
      case Blocked::connect:
        add_descriptor_wait(thread_, w, until);
        break;
      case Blocked::stopped:
        if (w.woken()) add(w.time, until, Label::sched_stopped, Evidence::measured, stopper(w));
        break;
      case Blocked::sleep:
        if (const std::uint32_t by = refused_by(thread_.log, w);
            w.woken() && (by != 0 || sleeps_like_sqlite(thread_.log, w))) {
          add(w.time, until, Label::lock_file, Evidence::inferred, by != 0 ? thread_.draft.who(0, {}, by) : 0);
        } else if (w.woken() && w.due != 0) {
          add(w.time, std::min(until, w.due + kTimerSlack), Label::timer_sleep);
          add(w.due + kTimerSlack, until, Label::q_notice);
        } else if (w.woken()) {
          thread_.add_plain(w, until);
        }
        break;
      case Blocked::futex:
        if (expired(thread_.log, w))
          add(w.time, until, Label::timer_sleep, Evidence::inferred, thread_.draft.who(w.argument0));
        else if (w.woken() && of_vm(w))
          add(w.time, until, Label::runtime_stw, Evidence::measured, thread_.draft.who(0, {}, w.waker));
        else if (const auto given = thread_.k.pools.given(thread_.draft.w, thread_.tid, w))
          add(w.time, until, Label::q_pool, Evidence::inferred,
              thread_.draft.who(given->number, given->by, given->tid));
        else if (w.woken())
          lock(w);
        break;
      case Blocked::file_lock:
        if (w.woken()) add(w.time, until, Label::lock_file, Evidence::measured, file_holder(w));
        break;
      default:
        if (w.woken()) thread_.add_plain(w, until);
    }
    // Without the wake-up, the wait and the run-queue latency cannot be distinguished.
    if (!w.woken()) return add(w.time, w.back, Label::unexplained_opaque);
    add(w.runnable, w.back, Label::sched_runq);
  }

  // What the hypervisor took of the time on the CPU in [began, w.time). Where in it is not known: it is put at the end.
  void stolen(const OffCpuWait& w, Nanos began, Nanos from, Nanos to) {
    thread_.from = std::max(began, from);
    thread_.to = std::min(w.time, to);
    if (began >= w.time || thread_.to - thread_.from < kSliver) return;
    const Nanos whole = w.time - began, amount = std::min(w.stolen, whole);
    if (whole - (thread_.to - thread_.from) < kSliver) return add(thread_.to - amount, thread_.to, Label::cpu_stolen);
    const double share = static_cast<double>(thread_.to - thread_.from) / static_cast<double>(whole);
    add(thread_.to - static_cast<Nanos>(share * static_cast<double>(amount)), thread_.to, Label::cpu_stolen,
        Evidence::inferred);
  }

  // Delays in the kernel that are not the reason for a switch-out.
  void stalls(Nanos from, Nanos to) {
    thread_.from = from;
    thread_.to = to;
    thread_.log.stalls.each(from, to, [&](const Stalled& s) {
      if (s.what == formats::StallKind::interrupt) return add(s.time, s.to, Label::cpu_irq);
      if (s.what != formats::StallKind::reclaim && s.what != formats::StallKind::kernel_lock) return;
      const Label label = s.what == formats::StallKind::reclaim ? Label::mem_reclaim : Label::lock_kernel;
      const std::uint32_t who = s.where != 0 ? thread_.draft.who(s.where) : 0;
      // Run-queue latency is left out.
      Nanos at = s.time;
      for (const OffCpuWait* w = thread_.log.waits.last_until(s.time) ? thread_.log.waits.last_until(s.time)
                                                                      : thread_.log.waits.begin();
           w != thread_.log.waits.end() && w->time < s.to; ++w) {
        if (!w->woken() || w->back <= at) continue;
        add(at, std::min(w->runnable, s.to), label, Evidence::measured, who);
        at = std::max(at, w->back);
      }
      add(at, s.to, label, Evidence::measured, who);
    });
  }

 private:
  void add(Nanos from, Nanos to, Label label, Evidence evidence = Evidence::measured, std::uint32_t who = 0) {
    thread_.add(from, to, label, evidence, who);
  }

  // Where the kernel does not report it: a preemption of more than a tick while its cgroup was throttled, ended on a
  // tick.
  bool maybe_throttled(const OffCpuWait& w) const {
    return !thread_.k.observed.throttling_is_told() && w.back - w.time > kTick;
  }
  CpuQuotas::Throttling throttling(const OffCpuWait& w) const {
    return thread_.k.observed.quotas().throttling(thread_.log.pid, w.time, w.back);
  }
  std::uint32_t of_group(const CpuQuotas::Throttling& t) { return t.group != 0 ? thread_.draft.who(t.group) : 0; }
  std::uint32_t stopper(const OffCpuWait& w) {
    const std::uint32_t group = w.frozen ? thread_.k.observed.quotas().frozen_of(thread_.log.pid) : 0;
    return group != 0 || w.argument0 != 0 ? thread_.draft.who(group, {}, static_cast<std::uint32_t>(w.argument0)) : 0;
  }

  // The thread that woke it had the lock since its own wait for it ended; before that, who woke that thread had it.
  void lock(const OffCpuWait& w) {
    const OffCpuWait* last = &w;
    Nanos to = w.runnable;
    for (int turns = 0; turns < kMostTurns && to > thread_.from; ++turns) {
      const OffCpuWait* const before = thread_.holders.own_wait(*last, w);
      if (before && before->runnable < to)
        add(before->runnable, to, Label::lock_futex, Evidence::measured, holder(*last));
      if (!before) break;
      to = std::min(to, before->runnable);
      last = before;
    }
    add(w.time, to, Label::lock_futex, Evidence::measured, holder(*last));
  }

  std::uint32_t holder(const OffCpuWait& w) {
    const LockHolder holder = thread_.holders.of_futex(w);
    return thread_.draft.who(w.argument0, holder.request, holder.tid);
  }
  std::uint32_t file_holder(const OffCpuWait& w) {
    const LockHolder holder = thread_.holders.of_file(w);
    const std::uint32_t tid = holder.tid != 0 ? holder.tid : refused_by(thread_.log, w);
    return tid != 0 ? thread_.draft.who(0, holder.request, tid) : 0;
  }

  // A JVM held its threads up until then.
  bool of_vm(const OffCpuWait& w) const {
    const ProcessLog* process = w.waker != 0 ? thread_.k.observed.process(thread_.log.pid) : nullptr;
    return process && process->vm_thread == w.waker;
  }

  CarryingThread thread_;
};

// The wait that ends an interval on the CPU tells what was stolen from it.
void add_stolen(const ThreadLog& log, Running& running, Nanos from, Nanos to) {
  const OffCpuWait* before = log.waits.last_until(from);
  for (const OffCpuWait* w = before ? before + 1 : log.waits.begin(); w != log.waits.end(); before = w++) {
    const Nanos began = before ? before->back : log.known_since;
    if (began >= to) return;
    if (w->stolen > 0 && !w->lost_before) running.stolen(*w, began, from, to);
  }
}

}  // namespace

void add_running(const DraftContext& k, std::uint32_t tid, Nanos from, Nanos to, std::span<const Call> calls,
                 Draft& draft, Evidence evidence) {
  from = std::max(from, draft.w.from);
  to = std::min(to, draft.w.to);
  const ThreadLog* log = k.observed.thread(tid);
  if (!log || log->known_since == 0 || from >= to || k.observed.waits_left_out(*log, from, to)) return;
  add_first_wait(*log, from, to, draft);
  from = std::max(from, log->known_since);
  draft.add(from, to, Label::cpu, evidence);
  Running running(k, tid, *log, calls, draft);
  const OffCpuWait* w = log->waits.last_until(from);
  for (w = w ? w : log->waits.begin(); w != log->waits.end() && w->time < to; ++w)
    if (w->back > from) running.wait(*w, from, to);
  add_stolen(*log, running, from, to);
  if (!log->stalls.empty()) running.stalls(from, to);
  log->assists.each(from, to, [&](const TimeSpan& s) {
    draft.add(std::max(s.time, from), std::min(s.to, to), Label::cpu_gc_assist);
  });
  log->lost.each(from, to, [&](const TimeSpan& s) {
    draft.add(std::max(s.time, from), std::min(s.to, to), Label::unexplained_lost);
  });
  // The thread had no further off-CPU interval that would report its losses.
  const Nanos silent = log->waits.size() == 0 ? 0 : (log->waits.end() - 1)->back;
  k.observed.counted().each(std::max(from, silent), to, [&](const TimeSpan& s) {
    draft.add(std::max({s.time, from, silent}), std::min(s.to, to), Label::unexplained_lost);
  });
}

void add_first_wait(const ThreadLog& log, Nanos from, Nanos to, Draft& draft) {
  if (log.born != 0)
    draft.add(std::max(from, log.born), std::min(to, log.known_since), Label::sched_runq, Evidence::inferred);
}

void add_queued(const OffCpuWait& wait, Nanos from, Nanos to, Draft& draft) {
  if (wait.woken()) draft.add(std::max(wait.runnable, from), std::min(wait.back, to), Label::sched_runq);
}

void add_lost(const DraftContext& k, std::span<const Call> calls, Draft& draft) {
  const auto lost = [&](const TimeSpan& s) { draft.add(s.time, s.to, Label::unexplained_lost); };
  k.observed.blind().each(draft.w.from, draft.w.to, lost);
  draft.add(draft.w.from, k.observed.forgotten_until(), Label::unexplained_lost);
  const auto of = [&](model::ConnectionId connection) {
    if (const EndLog* end = k.observed.end(connection)) end->lost.each(draft.w.from, draft.w.to, lost);
  };
  of(draft.w.id.connection);
  for (const Call& c : calls)
    if (c.w.id != draft.w.id) of(c.w.id.connection);
}

}  // namespace tailcap::partition
