#include "analyze/partition/by_turns.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "analyze/partition/running.h"

namespace tailcap::partition {
namespace {

using model::Evidence;
using model::ExchangeId;
using model::Label;

// An arrival shortly before the wake-up is what woke it.
constexpr Nanos kPrompt = 1'000'000;
// A thread that was on a CPU this shortly before can have woken it.
constexpr Nanos kShort = 50'000;

struct Turn {
  Nanos from = 0, to = 0;
  ExchangeId owner;                  // connection 0: none
  const OffCpuWait* idle = nullptr;  // the loop waited
  bool doubtful = false;             // another request could own it
};

class Loop {
 public:
  Loop(const DraftContext& k, const ThreadLog& log, std::uint32_t tid, Draft& draft)
      : k_(k), log_(log), tid_(tid), draft_(draft) {
    segment();
  }

  void run(std::span<const Call> calls) {
    for (const Turn& t : turns_) {
      if (t.idle) continue;
      if (t.owner == draft_.w.id)
        add_running(k_, tid_, t.from, t.to, calls, draft_, t.doubtful ? Evidence::inferred : Evidence::measured);
      else
        others(t, calls);
      draft_.carried.push_back({t.from, t.to, tid_, true, t.doubtful || t.owner != draft_.w.id});
    }
    // Between the request's iterations.
    Nanos since = draft_.w.from;
    for (const Turn& t : turns_) {
      if (t.owner != draft_.w.id || t.idle) continue;
      gap(since, t.from, calls);
      since = t.to;
    }
    gap(since, draft_.w.to, calls);
    for (const Turn& t : turns_)
      if (t.idle) idle(*t.idle);
  }

 private:
  static bool polls(const OffCpuWait& w) { return w.blocked == Blocked::poll || w.blocked == Blocked::poll_one; }

  // Where bytes of several streams were moved at once, the act belongs to this request if it has a milestone there.
  ExchangeId owner_of(const Act& act) const {
    const Window& w = draft_.w;
    const bool mine = act.shared && act.connection == w.id.connection &&
                      (act.time == w.first || act.time == w.second || act.time == w.third || act.time == w.to);
    return mine ? w.id : act.owner;
  }

  // Its bytes woke the loop, which then went straight to them.
  bool woke(const Act& act, const OffCpuWait* idle) const {
    const EndLog* end = k_.observed.end(act.connection);
    if (!end || !idle || !idle->woken()) return false;
    const PositionMark* arrived = end->arrived.last_until(idle->runnable);
    return arrived && arrived->time > idle->time;
  }

  void segment() {
    const Nanos from = draft_.w.from, to = draft_.w.to;
    // Begin with the batch, or the wait, in which the request began.
    const OffCpuWait* w = log_.waits.last_until(from);
    while (w && !polls(*w)) w = w == log_.waits.begin() ? nullptr : w - 1;
    const OffCpuWait* last_idle = w;
    Nanos at = w ? w->back : std::min(from, log_.known_since);
    if (w && w->back > from) turns_.push_back({from, std::min(w->back, to), {}, w});
    const Act* act = log_.acts.first_after(at);
    const Act* before = nullptr;  // the last act in this batch
    w = w ? w + 1 : log_.waits.begin();
    const auto turn = [&](Nanos until, ExchangeId owner, bool doubtful = false) {
      const Nanos begin = std::max(at, from);
      if (begin < std::min(until, to)) turns_.push_back({begin, std::min(until, to), owner, nullptr, doubtful});
      at = std::max(at, until);
    };
    while (at < to) {
      while (w != log_.waits.end() && !polls(*w)) ++w;
      const bool waits = w != log_.waits.end() && w->time < to;
      if (act != log_.acts.end() && act->time <= to && (!waits || act->time <= w->time)) {
        const ExchangeId owner = owner_of(*act);
        const ExchangeId held = before ? owner_of(*before) : ExchangeId{};
        if (act->out)
          turn(act->time, owner, before && held != owner && !before->last);
        else if (before && !before->last)
          turn(act->time, held);
        else if (!before && woke(*act, last_idle))
          turn(act->time, owner);
        else
          turn(act->time, {});
        before = act++;
        continue;
      }
      const ExchangeId held = before ? owner_of(*before) : ExchangeId{};
      const ExchangeId rest = before && !before->last ? held : ExchangeId{};
      if (!waits) {
        turn(to, rest);
        break;
      }
      turn(w->time, rest);
      if (w->back > from) turns_.push_back({std::max(w->time, from), std::min(w->back, to), {}, w});
      at = std::max(at, w->back);
      last_idle = w++;
      before = nullptr;
      while (act != log_.acts.end() && act->time <= last_idle->time) ++act;
    }
  }

  void idle(const OffCpuWait& w) {
    if (!w.woken()) return draft_.add(w.time, w.back, Label::unexplained_opaque);
    // Except while another thread worked on it.
    Nanos at = w.time;
    for (const TimeSpan& s : worked_) {
      if (s.to <= at || s.time >= w.runnable) continue;
      draft_.add(at, s.time, Label::q_notice);
      at = s.to;
    }
    draft_.add(at, w.runnable, Label::q_notice);
    draft_.add(w.runnable, w.back, Label::sched_runq);
  }

  // The awaited bytes, or the awaited answer of a call, are known to be there by the end of this iteration.
  bool ready(const Turn& t, std::span<const Call> calls) const {
    if (draft_.w.server() && t.from < draft_.w.first) return true;
    return std::any_of(calls.begin(), calls.end(), [&](const Call& c) { return c.arrived < t.to && t.to <= c.read; });
  }

  void others(const Turn& t, std::span<const Call> calls) {
    const bool known = t.owner.connection != 0;
    const std::uint32_t who = known ? draft_.who(0, t.owner, tid_) : 0;
    const Evidence evidence = known && !t.doubtful && ready(t, calls) ? Evidence::measured : Evidence::inferred;
    Nanos at = t.from;
    const OffCpuWait* w = log_.waits.last_until(t.from);
    for (w = w ? w : log_.waits.begin(); w != log_.waits.end() && w->time < t.to; ++w) {
      if (w->blocked != Blocked::stopped || w->back <= at) continue;
      draft_.add(at, w->time, Label::q_loop, evidence, who);
      draft_.add(std::max(w->time, t.from), std::min(w->waited_until(), t.to), Label::sched_stopped);
      draft_.add(std::max(w->waited_until(), t.from), std::min(w->back, t.to), Label::sched_runq);
      at = std::min(w->back, t.to);
    }
    draft_.add(at, t.to, Label::q_loop, evidence, who);
  }

  // Labels [from, to), in which the loop did not work on the request.
  void gap(Nanos from, Nanos to, std::span<const Call> calls) {
    const Window& w = draft_.w;
    if (w.server()) from = std::max(from, w.first);  // until then it had arrived and was not noticed
    if (from >= to) return;
    if (w.server()) {
      if (from < w.second) {
        const Nanos whole = std::min(to, w.second);
        add_awaited_bytes(k_, w.id.connection, from, whole, Label::net_upload, Label::net_reorder, Evidence::measured,
                          0, draft_);
        from = whole;
      }
      if (to > w.third) responding(std::max(from, w.third), to);
      to = std::min(to, w.third);
    }
    if (from >= to) return;
    for (const TimeSpan& piece : add_calls(k_, calls, from, to, draft_)) unknown(piece.time, piece.to, calls);
  }

  // The response was begun, and more could not be written.
  void responding(Nanos from, Nanos to) {
    Nanos at = from;
    if (const ExchangeNote* note = k_.windows.note(draft_.w.id)) {
      for (const auto& held : note->held_up) {
        const Nanos a = std::max(formats::nanoseconds(held.from), at), b = std::min(formats::nanoseconds(held.to), to);
        if (a >= b) continue;
        full(at, a);
        draft_.add(a, b, Label::send_h2fc);
        at = b;
      }
    }
    full(at, to);
  }

  void full(Nanos from, Nanos to) {
    for (const Turn& t : turns_)
      if (t.idle && t.idle->woken())
        draft_.add(std::max(from, t.idle->time), std::min(to, t.idle->runnable), Label::send_sndbuf,
                   Evidence::inferred);
  }

  // No call was under way: a timer or an unseen event, until the loop's last wake-up.
  void unknown(Nanos from, Nanos to, std::span<const Call> calls) {
    if (from >= to) return;
    const OffCpuWait* last = nullptr;
    for (const Turn& t : turns_)
      if (t.idle && t.idle->time < to && t.idle->back > from) last = t.idle;
    if (!last || !last->woken()) return;
    const Nanos until = std::min(last->runnable, to);
    if (const Wake work = worker(from, last->runnable); work.tid != 0) {
      const Nanos taken = std::max(from, work.time);
      draft_.add(from, taken, Label::q_pool, Evidence::inferred);
      worked_.push_back({taken, until});
      return add_running(k_, work.tid, taken, until, calls, draft_, Evidence::inferred);
    }
    if (const auto call = answered(from, to, last->back))
      return add_down(k_, *call, from, to, Evidence::inferred, draft_);
    const TimeSpan* arrived = k_.observed.arrivals_elsewhere().last_until(last->runnable);
    const bool network = arrived && arrived->time > last->time && last->runnable - arrived->time < kPrompt;
    const Label label = last->waker != 0 || !alone(last->runnable) ? Label::blocked_unknown
                        : network                                  ? Label::net_unknown_socket
                                                                   : Label::timer_sleep;
    draft_.add(from, until, label, Evidence::inferred);
  }

  // A call without a known parent, with its answer read right before this request went on: it likely belongs to this
  // request. Its parent is not filled in.
  std::optional<Call> answered(Nanos from, Nanos to, Nanos woken) {
    Nanos resumed = to;
    for (const Turn& t : turns_)
      if (t.owner == draft_.w.id && t.to > to) {
        resumed = t.to;
        break;
      }
    for (const Act* a = log_.acts.first_at(woken); a != log_.acts.end() && a->time <= resumed; ++a) {
      const auto row = a->out ? std::nullopt : k_.windows.at(a->connection, a->time);
      if (!row || k_.windows.table().rows.role(*row) != model::Role::client ||
          k_.windows.owner(*row) != k_.windows.table().rows.id(*row))
        continue;
      Call call = call_of(k_, *row, draft_.w.to, draft_);
      call.who = 0;
      if (call.began < to && call.arrived > from) return call;
    }
    return std::nullopt;
  }

  // The thread was on a CPU just before t, as far as is known; one without a later switch-in does not count.
  bool active(std::uint32_t tid, Nanos t) const {
    const ThreadLog* log = k_.observed.thread(tid);
    if (!log) return false;
    const OffCpuWait* next = log->waits.first_at(t - kShort);
    if (next == log->waits.end()) return false;
    const OffCpuWait* before = next == log->waits.begin() ? nullptr : next - 1;
    return (before ? before->back : log->born) <= t;
  }

  // No other thread of the process was on a CPU just then, so none of them woke the loop.
  bool alone(Nanos woken) const {
    const ProcessLog* process = k_.observed.process(log_.pid);
    if (!process || process->threads.size() == ProcessLog::kMaxListed) return false;
    return std::none_of(process->threads.begin(), process->threads.end(),
                        [&](std::uint32_t tid) { return tid != tid_ && active(tid, woken); });
  }

  // The loop had started or woken a thread of its process in the request's turn, and was woken when that sent it
  // something or was about: it worked on the request since. tid 0: there is none.
  Wake worker(Nanos from, Nanos woken) const {
    const ProcessLog* process = k_.observed.process(log_.pid);
    if (!process) return {};
    Nanos since = draft_.w.from;
    for (const Turn& t : turns_)
      if (t.owner == draft_.w.id && t.from < from) since = t.from;
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

  const DraftContext& k_;
  const ThreadLog& log_;
  const std::uint32_t tid_;
  Draft& draft_;
  std::vector<Turn> turns_;
  std::vector<TimeSpan> worked_;  // other threads of the process on this request, in order of time
};

}  // namespace

void add_by_turns(const DraftContext& k, std::uint32_t loop, std::span<const Call> calls, Draft& draft) {
  const ThreadLog* log = k.observed.thread(loop);
  if (!log || log->known_since == 0) return;
  Loop(k, *log, loop, draft).run(calls);
  log->lost.each(draft.w.from, draft.w.to,
                 [&](const TimeSpan& s) { draft.add(s.time, s.to, Label::unexplained_lost); });
  const Nanos silent = log->waits.size() == 0 ? 0 : (log->waits.end() - 1)->back;
  k.observed.counted().each(draft.w.from, draft.w.to, [&](const TimeSpan& s) {
    draft.add(std::max(s.time, silent), s.to, Label::unexplained_lost);
  });
}

}  // namespace tailcap::partition
