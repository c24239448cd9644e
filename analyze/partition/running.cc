#include "analyze/partition/running.h"

#include <algorithm>
#include <optional>

#include "analyze/partition/history/busy_loop.h"
#include "analyze/partition/history/lock_holders.h"

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

// What a TCP socket takes before its buffer is full, unless the program made that smaller (net.ipv4.tcp_wmem).
constexpr std::uint64_t kBuffer = 16 << 10;

class Running {
 public:
  Running(const DraftContext& k, std::uint32_t tid, const ThreadLog& log, std::span<const Call> calls, Draft& draft)
      : k_(k), tid_(tid), log_(log), calls_(calls), draft_(draft), holders_(k.windows, k.observed, draft.w, tid) {}

  void wait(const OffCpuWait& w, Nanos from, Nanos to) {
    from_ = from;
    to_ = to;
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
        descriptor(w, until);
        break;
      case Blocked::stopped:
        if (w.woken()) add(w.time, until, Label::sched_stopped, Evidence::measured, stopper(w));
        break;
      case Blocked::sleep:
        if (const std::uint32_t by = refused_by(log_, w); w.woken() && (by != 0 || sleeps_like_sqlite(log_, w))) {
          add(w.time, until, Label::lock_file, Evidence::inferred, by != 0 ? draft_.who(0, {}, by) : 0);
        } else if (w.woken() && w.due != 0) {
          add(w.time, std::min(until, w.due + kTimerSlack), Label::timer_sleep);
          add(w.due + kTimerSlack, until, Label::q_notice);
        } else if (w.woken()) {
          plain(w, until);
        }
        break;
      case Blocked::futex:
        if (expired(log_, w))
          add(w.time, until, Label::timer_sleep, Evidence::inferred, draft_.who(w.argument0));
        else if (w.woken() && of_vm(w))
          add(w.time, until, Label::runtime_stw, Evidence::measured, draft_.who(0, {}, w.waker));
        else if (const auto given = k_.pools.given(draft_.w, tid_, w))
          add(w.time, until, Label::q_pool, Evidence::inferred, draft_.who(given->number, given->by, given->tid));
        else if (w.woken())
          lock(w);
        break;
      case Blocked::file_lock:
        if (w.woken()) add(w.time, until, Label::lock_file, Evidence::measured, file_holder(w));
        break;
      default:
        if (w.woken()) plain(w, until);
    }
    // Without the wake-up, the wait and the run-queue latency cannot be distinguished.
    if (!w.woken()) return add(w.time, w.back, Label::unexplained_opaque);
    add(w.runnable, w.back, Label::sched_runq);
  }

  // What the hypervisor took of the time on the CPU in [began, w.time). Where in it is not known: it is put at the end.
  void stolen(const OffCpuWait& w, Nanos began, Nanos from, Nanos to) {
    from_ = std::max(began, from);
    to_ = std::min(w.time, to);
    if (began >= w.time || to_ - from_ < kSliver) return;
    const Nanos whole = w.time - began, amount = std::min(w.stolen, whole);
    if (whole - (to_ - from_) < kSliver) return add(to_ - amount, to_, Label::cpu_stolen);
    const double share = static_cast<double>(to_ - from_) / static_cast<double>(whole);
    add(to_ - static_cast<Nanos>(share * static_cast<double>(amount)), to_, Label::cpu_stolen, Evidence::inferred);
  }

  // Delays in the kernel that are not the reason for a switch-out.
  void stalls(Nanos from, Nanos to) {
    from_ = from;
    to_ = to;
    log_.stalls.each(from, to, [&](const Stalled& s) {
      if (s.what == formats::StallKind::interrupt) return add(s.time, s.to, Label::cpu_irq);
      if (s.what != formats::StallKind::reclaim && s.what != formats::StallKind::kernel_lock) return;
      const Label label = s.what == formats::StallKind::reclaim ? Label::mem_reclaim : Label::lock_kernel;
      const std::uint32_t who = s.where != 0 ? draft_.who(s.where) : 0;
      // Run-queue latency is left out.
      Nanos at = s.time;
      for (const OffCpuWait* w = log_.waits.last_until(s.time) ? log_.waits.last_until(s.time) : log_.waits.begin();
           w != log_.waits.end() && w->time < s.to; ++w) {
        if (!w->woken() || w->back <= at) continue;
        add(at, std::min(w->runnable, s.to), label, Evidence::measured, who);
        at = std::max(at, w->back);
      }
      add(at, s.to, label, Evidence::measured, who);
    });
  }

 private:
  void add(Nanos from, Nanos to, Label label, Evidence evidence = Evidence::measured, std::uint32_t who = 0) {
    draft_.add(std::max(from, from_), std::min(to, to_), label, evidence, who);
  }

  // Where the kernel does not report it: a preemption of more than a tick while its cgroup was throttled, ended on a
  // tick.
  bool maybe_throttled(const OffCpuWait& w) const {
    return !k_.observed.throttling_is_told() && w.back - w.time > kTick;
  }
  CpuQuotas::Throttling throttling(const OffCpuWait& w) const {
    return k_.observed.quotas().throttling(log_.pid, w.time, w.back);
  }
  std::uint32_t of_group(const CpuQuotas::Throttling& t) { return t.group != 0 ? draft_.who(t.group) : 0; }
  std::uint32_t stopper(const OffCpuWait& w) {
    const std::uint32_t group = w.frozen ? k_.observed.quotas().frozen_of(log_.pid) : 0;
    return group != 0 || w.argument0 != 0 ? draft_.who(group, {}, static_cast<std::uint32_t>(w.argument0)) : 0;
  }

  // The thread that woke it had the lock since its own wait for it ended; before that, who woke that thread had it.
  void lock(const OffCpuWait& w) {
    const OffCpuWait* last = &w;
    Nanos to = w.runnable;
    for (int turns = 0; turns < kMostTurns && to > from_; ++turns) {
      const OffCpuWait* const before = holders_.own_wait(*last, w);
      if (before && before->runnable < to)
        add(before->runnable, to, Label::lock_futex, Evidence::measured, holder(*last));
      if (!before) break;
      to = std::min(to, before->runnable);
      last = before;
    }
    add(w.time, to, Label::lock_futex, Evidence::measured, holder(*last));
  }

  std::uint32_t holder(const OffCpuWait& w) {
    const LockHolder holder = holders_.of_futex(w);
    return draft_.who(w.argument0, holder.request, holder.tid);
  }
  std::uint32_t file_holder(const OffCpuWait& w) {
    const LockHolder holder = holders_.of_file(w);
    const std::uint32_t tid = holder.tid != 0 ? holder.tid : refused_by(log_, w);
    return tid != 0 ? draft_.who(0, holder.request, tid) : 0;
  }

  // A JVM held its threads up until then.
  bool of_vm(const OffCpuWait& w) const {
    const ProcessLog* process = w.waker != 0 ? k_.observed.process(log_.pid) : nullptr;
    return process && process->vm_thread == w.waker;
  }

  // A thread of another process ended the wait.
  std::uint32_t other_process(const OffCpuWait& w) {
    if (w.waker == 0) return 0;
    const ThreadLog* waker = k_.observed.thread(w.waker);
    return waker && waker->pid == log_.pid ? 0 : draft_.who(0, {}, w.waker);
  }

  // The delay recorded in the kernel meanwhile gives the reason; without one, the system call does.
  void plain(const OffCpuWait& w, Nanos until) {
    using formats::StallKind;
    Nanos at = w.time;
    const std::uint32_t ended_by = other_process(w);
    log_.stalls.each(w.time, until, [&](const Stalled& s) {
      Label label = Label::io_disk;
      switch (s.what) {
        case StallKind::block_io:
          label = w.blocked == Blocked::fault ? Label::mem_majfault : Label::io_disk;
          break;
        case StallKind::major_fault:
          label = Label::mem_majfault;
          break;
        case StallKind::fuse:
          label = Label::io_fuse;
          break;
        case StallKind::writeback:
          label = Label::io_writeback;
          break;
        // The start of the throttling is not recorded, so this is an upper bound. It precedes the other reasons.
        case StallKind::io_throttled:
          return add(s.time, std::min(s.to, until), Label::io_throttled, Evidence::inferred,
                     s.where != 0 ? draft_.who(s.where) : 0);
        default:
          return;
      }
      if (s.to <= at) return;
      add(at, s.time, label_of(w), Evidence::measured, ended_by);
      add(std::max(s.time, at), std::min(s.to, until), label, Evidence::measured,
          s.where != 0 ? draft_.who(s.where) : 0);
      at = std::min(s.to, until);
    });
    add(at, until, label_of(w), Evidence::measured, ended_by);
  }

  // Reading, writing or waiting for a descriptor.
  void descriptor(const OffCpuWait& w, Nanos until) {
    if (w.file == formats::FileKind::log) return w.woken() ? plain(w, until) : void();
    const model::ConnectionId connection = k_.observed.connection_of(w.socket);
    // If the awaited event had happened, the thread had not been woken yet.
    const auto unnoticed = [&] {
      if (w.woken()) add(w.time, until, Label::q_notice);
    };
    if (connection != 0 && connection == draft_.w.id.connection && draft_.w.server())
      return own(w, until, Evidence::measured);
    if (connection != 0) {
      for (const Call& c : calls_)
        if (c.w.id.connection == connection && c.began <= until && c.end >= w.time) {
          if (const auto s = sending(w, until); s && s->label == Label::send_sndbuf && c.sent >= until)
            return add(w.time, until, Label::down_zwnd, s->evidence, c.who);
          if (c.setup) return add(w.time, until, *c.setup, Evidence::measured, c.who);
          unnoticed();
          return add_down(k_, c, std::max(w.time, from_), std::min(until, to_), Evidence::measured, draft_);
        }
      return another(w, connection, until);
    }
    if (w.socket != 0) return stranger(w, until);
    if (const Call* c = meant(w, until)) {
      unnoticed();
      return add_down(k_, *c, std::max(w.time, from_), std::min(until, to_),
                      c->sender == tid_ ? Evidence::measured : Evidence::inferred, draft_);
    }
    const bool file = w.file != formats::FileKind::unknown && w.file != formats::FileKind::socket &&
                      w.file != formats::FileKind::epoll;
    if (draft_.w.server() && draft_.w.phases && !file && (w.time < draft_.w.second || w.time >= draft_.w.third))
      return own(w, until, Evidence::inferred);
    if (!w.woken()) return;
    if (w.blocked == Blocked::connect) return add(w.time, until, Label::down_connect);
    if (timed_out(w)) return add(w.time, until, Label::timer_sleep, Evidence::inferred);
    if (const model::ExchangeId holder = holders_.of_session(w); holder.connection != 0)
      return add(w.time, until, Label::lock_session, Evidence::inferred, draft_.who(0, holder, w.waker));
    plain(w, until);
  }

  // It waited for nothing that came, until its time was up. What ends the time limit of a socket looks like an arrival.
  static bool timed_out(const OffCpuWait& w) {
    return w.woken_by_timer() && w.file == formats::FileKind::pipe &&
           (w.blocked == Blocked::input || w.blocked == Blocked::poll_one);
  }

  // A socket that carries no requests: for what its other end does.
  void stranger(const OffCpuWait& w, Nanos until) {
    const Stranger* s = k_.observed.stranger(w.socket);
    const std::uint32_t number = k_.observed.peer_of(w.socket);
    const std::uint32_t who = number != 0 ? draft_.who(number) : 0;
    if (s && s->name_server) return add(w.time, until, Label::down_dns, Evidence::measured, who);
    if (w.blocked == Blocked::connect) return add(w.time, until, Label::down_connect, Evidence::measured, who);
    if (const ProcessLog* process = k_.observed.process(log_.pid))
      process->attempts.each(w.time, until, [&](const Attempt& a) {
        if (a.socket == w.socket)
          add(std::max(w.time, a.time), std::min(until, a.to), Label::down_connect, Evidence::measured, who);
      });
    if (s && s->connecting != 0 && s->connecting < until)
      add(std::max(w.time, s->connecting), until, Label::down_connect, Evidence::measured, who);
    const bool asks = s && s->asks, sure = !asks || s->origin == formats::Origin::connected;
    if (asks || w.woken())
      add_elsewhere(k_, w.socket, std::max(w.time, from_), std::min(until, to_),
                    asks ? Label::down_wait : Label::net_unknown_socket, sure ? Evidence::measured : Evidence::inferred,
                    number, draft_);
  }

  // A call under way that is not known to belong to the request; its carrier waited for it all the same.
  void another(const OffCpuWait& w, model::ConnectionId connection, Nanos until) {
    const auto row = k_.windows.at(connection, w.time);
    if (row && k_.windows.table().rows.role(*row) == model::Role::client) {
      const Call c = call_of(k_, *row, draft_.w.to, draft_);
      if (w.woken()) add(w.time, until, Label::q_notice);
      return add_down(k_, c, std::max(w.time, from_), std::min(until, to_), Evidence::inferred, draft_);
    }
    const std::uint32_t number = k_.observed.peer_of(w.socket);
    if (w.woken())
      add(w.time, until, Label::net_unknown_socket, Evidence::measured, number != 0 ? draft_.who(number) : 0);
  }

  // When the thread had last waited for a descriptor.
  Nanos before(const OffCpuWait& w) const {
    const OffCpuWait* last = log_.waits.last_before(w.time);
    while (last && last->blocked != Blocked::poll && last->blocked != Blocked::poll_one &&
           last->blocked != Blocked::input)
      last = last == log_.waits.begin() ? nullptr : last - 1;
    return last ? last->back : draft_.w.from;
  }

  // A wait on the request's own connection: for the rest of the request, or for room for the response.
  void own(const OffCpuWait& w, Nanos until, Evidence evidence) {
    // A call that writes waits for room. One that waits for a descriptor can also wait for more of the request.
    const bool writes =
        w.blocked == Blocked::output || (w.blocked != Blocked::input && draft_.w.phases && w.time >= draft_.w.third &&
                                         fills_buffer(k_, draft_.w.id.connection, before(w), w.time));
    if (!writes && draft_.w.phases && w.time >= draft_.w.third)
      return add(w.time, until, Label::blocked_unknown);  // but for windows
    if (!writes) {
      if (w.woken()) add(w.time, until, Label::q_notice);
      // What a thread did before its request began: it waited for the client to send it.
      const std::uint32_t client = client_of(k_, draft_);
      if (w.time < draft_.w.first && draft_.w.id.connection != 0)
        add(w.time, std::min(until, k_.windows.window(draft_.w.row).from), Label::net_idle, Evidence::measured, client);
      if (w.time >= draft_.w.first)
        add_awaited_bytes(k_, draft_.w.id.connection, std::max(w.time, from_), std::min(until, to_), Label::net_upload,
                          Label::net_reorder, evidence, client, draft_);
      return;
    }
    if (!w.woken()) return;
    Sending why{Label::send_sndbuf, Evidence::inferred};
    if (const EndLog* end = k_.observed.end(draft_.w.id.connection))
      end->retransmitted.each(w.time, until, [&](const TimeSpan&) { why.label = Label::send_cwnd; });
    why = sending(w, until).value_or(why);
    add(w.time, until, why.label, why.evidence, why.label == Label::send_sndbuf ? client_of(k_, draft_) : 0);
  }

  // The reason that TCP gave for accepting nothing; unset: none.
  struct Sending {
    Label label = Label::send_blocked;
    Evidence evidence = Evidence::inferred;
  };
  std::optional<Sending> sending(const OffCpuWait& w, Nanos until) const {
    constexpr std::uint32_t kNearly = 5;  // per cent: its account is in ticks
    std::optional<Sending> out;
    log_.stalls.each(w.time, until, [&](const Stalled& s) {
      if (s.what == formats::StallKind::peer_window)
        out = {Label::send_sndbuf, s.detail + kNearly >= 100 ? Evidence::measured : Evidence::inferred};
      if (s.what == formats::StallKind::congestion)
        out = {Label::send_cwnd, s.detail <= kNearly ? Evidence::measured : Evidence::inferred};
    });
    return out;
  }

  // The awaited call is not recorded. It is taken to be the one with the answer that woke the thread, or one that was
  // under way all the time.
  const Call* meant(const OffCpuWait& w, Nanos until) const {
    const Call* best = nullptr;
    const auto woke = [&](const Call& c) { return c.arrived > w.time && c.arrived <= until; };
    for (const Call& c : calls_) {
      if (c.began > until || c.end < w.time) continue;
      if (c.sender != 0 && c.sender != tid_ && c.reader != tid_) continue;
      if (!best || (woke(c) && (!woke(*best) || c.arrived > best->arrived))) best = &c;
    }
    return best;
  }

  const DraftContext& k_;
  const std::uint32_t tid_;
  const ThreadLog& log_;
  const std::span<const Call> calls_;
  Draft& draft_;
  const LockHolders holders_;
  Nanos from_ = 0, to_ = 0;
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

bool fills_buffer(const DraftContext& k, model::ConnectionId connection, Nanos since, Nanos at) {
  const EndLog* end = k.observed.end(connection);
  if (!end) return false;
  const TimeSpan* full = end->full.first_at(since);
  if (full != end->full.end() && full->time <= at) return true;
  // UNIX sockets: a send that was shortened looks like any other.
  if (k.observed.full_sends_recorded() && !end->unix_domain) return false;
  std::uint64_t bytes = 0;
  for (const PositionMark* m = end->sent.first_at(since); m != end->sent.end() && m->time <= at && bytes < kBuffer; ++m)
    bytes += static_cast<std::uint32_t>(m->end - m->begin);
  return bytes >= kBuffer;
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
