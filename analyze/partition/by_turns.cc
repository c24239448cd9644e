#include "analyze/partition/by_turns.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "analyze/partition/history/lock_holders.h"
#include "analyze/partition/orphans.h"
#include "analyze/partition/running.h"
#include "analyze/partition/workers.h"

namespace tailcap::partition {
namespace {

using model::Evidence;
using model::ExchangeId;
using model::Label;

// What loops count time in, and the longest time of an iteration that is allowed for.
constexpr Nanos kLoopTick = 1'000'000, kMostLag = 50'000'000;
// How many arrivals for other streams are passed over while a request waits for its own.
constexpr std::size_t kMostArrivals = 256;
// How far back the last answer on a connection is looked for.
constexpr std::size_t kMostActs = 256;

class Loop {
 public:
  Loop(const DraftContext& k, const ThreadLog& log, const LoopTimeline& timeline, std::uint32_t tid, Draft& draft)
      : k_(k),
        log_(log),
        timeline_(timeline),
        tid_(tid),
        draft_(draft),
        range_(timeline.range(draft.w.from, draft.w.to)),
        own_(timeline.own(draft.w, range_)),
        orphans_(k, log, own_, draft),
        workers_(k, log, timeline, range_, own_, tid, draft),
        queued_(queued()),
        new_(draft.w.server() && log.start() > draft.w.from && log.start() < draft.w.first && log.acts.size() > 0 &&
             log.acts.begin()->connection == draft.w.id.connection) {}

  // It began after the request had arrived, and this request is the first thing that it did.
  bool is_new() const { return new_; }

  // The request's own turns, and what it waited for between them.
  void add_own(std::span<const Call> calls) {
    for (const LoopTurn& t : own_) {
      add_running(k_, tid_, t.from, t.to, calls, draft_, t.doubtful ? Evidence::inferred : Evidence::measured);
      draft_.carried.push_back({t.from, t.to, tid_, true, t.doubtful});
    }
    Nanos since = draft_.w.from;
    for (const LoopTurn& t : own_) {
      gap(since, t.from, calls);
      since = t.to;
    }
    gap(since, draft_.w.to, calls);
  }

  // Each turn that is not its own.
  void add_turns(std::span<const Call> calls) {
    std::size_t next = 0;
    for (std::uint64_t i = range_.first; i <= range_.last; ++i) {
      LoopTurn t = timeline_.turn(i);
      if (t.idle) {
        idle(t);
        continue;
      }
      t.from = std::max(t.from, draft_.w.from);
      t.to = std::min(t.to, draft_.w.to);
      while (next < own_.size() && own_[next].from < t.from) ++next;
      if (next < own_.size() && own_[next].from == t.from) continue;
      others(t, calls);
      draft_.carried.push_back({t.from, t.to, tid_, true, true});
    }
    std::inplace_merge(draft_.carried.begin(), draft_.carried.begin() + static_cast<std::ptrdiff_t>(own_.size()),
                       draft_.carried.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
  }

  bool summable() const {
    return worked_.empty() && range_.size() > k_.detailed_turns && !timeline_.any_special(range_) &&
           log_.known_since <= draft_.w.from && !new_;
  }

  // The same as sums.
  void add_background(std::span<const Call> calls) {
    const Window& w = draft_.w;
    Draft::Background& b = draft_.background;
    b = {&timeline_, range_, tid_, std::move(b.ready)};
    if (const Nanos until = std::min(queued_.until, w.first); until > w.from) {
      const LoopTurn* longest = timeline_.longest(timeline_.range(w.from, until));
      const std::uint32_t who = longest && longest->owner.connection != 0 ? draft_.who(0, longest->owner, tid_) : 0;
      draft_.add(w.from, until, Label::q_accept, queued_.evidence, who);
    }
    const auto turn_with = [&](Nanos t) -> const LoopTurn* {
      const LoopTimeline::Range r = timeline_.range(t, t + 1);
      return r.size() == 0 ? nullptr : &timeline_.turn(r.first);
    };
    std::vector<TimeSpan> ready;
    if (w.server() && w.first > w.from) {
      const LoopTurn* last = turn_with(w.first - 1);
      ready.push_back({w.from, last ? std::min(last->to, w.to) : w.first});
    }
    for (const Call& c : calls) {
      const LoopTurn* first = turn_with(c.arrived);
      const LoopTurn* last = turn_with(c.read);
      const Nanos until = c.read >= w.to || !last ? c.read : std::max(last->from, w.from);
      const TimeSpan s{first ? std::max(first->from, w.from) : c.arrived, until};
      if (s.time < s.to) ready.push_back(s);
    }
    std::sort(ready.begin(), ready.end(), [](const TimeSpan& x, const TimeSpan& y) { return x.time < y.time; });
    b.ready.clear();
    for (const TimeSpan& s : ready) {
      if (!b.ready.empty() && s.time <= b.ready.back().to)
        b.ready.back().to = std::max(b.ready.back().to, s.to);
      else
        b.ready.push_back(s);
    }
  }

 private:
  void idle(const LoopTurn& t) {
    if (!t.woken) return draft_.add(t.from, t.to, Label::unexplained_opaque);
    // Except while another thread worked on it.
    Nanos at = t.from;
    for (const TimeSpan& s : worked_) {
      if (s.to <= at || s.time >= t.runnable) continue;
      draft_.add(at, s.time, Label::q_notice);
      at = s.to;
    }
    draft_.add(at, t.runnable, Label::q_notice);
    draft_.add(t.runnable, t.to, Label::sched_runq);
  }

  // The awaited bytes, or the awaited answer of a call, are known to be there by the end of this iteration.
  bool ready(const LoopTurn& t, std::span<const Call> calls) const {
    if (draft_.w.server() && t.from < draft_.w.first) return true;
    return std::any_of(calls.begin(), calls.end(), [&](const Call& c) { return c.arrived < t.to && t.to <= c.read; });
  }

  void others(const LoopTurn& t, std::span<const Call> calls) {
    const bool known = t.owner.connection != 0;
    const std::uint32_t who = draft_.who(0, t.owner, tid_);
    const Evidence evidence = known && !t.doubtful && ready(t, calls) ? Evidence::measured : Evidence::inferred;
    // Before, it is not known what the loop did, or it did not exist; a new one has done nothing else yet.
    Nanos at = std::max(t.from, new_ ? draft_.w.first : log_.known_since);
    const auto behind = [&](Nanos from, Nanos to) {
      const Nanos until = std::clamp(queued_.until, from, std::max(from, to));
      if (from >= to) return;
      draft_.add(from, until, Label::q_accept, queued_.evidence, who);
      draft_.add(until, to, Label::q_loop, evidence, who);
    };
    const OffCpuWait* w = log_.waits.last_until(t.from);
    for (w = w ? w : log_.waits.begin(); w != log_.waits.end() && w->time < t.to; ++w) {
      if (w->blocked != Blocked::stopped || w->back <= at) continue;
      behind(at, w->time);
      const auto sender = static_cast<std::uint32_t>(w->argument0);
      draft_.add(std::max(w->time, t.from), std::min(w->waited_until(), t.to), Label::sched_stopped, Evidence::measured,
                 sender != 0 ? draft_.who(0, {}, sender) : 0);
      draft_.add(std::max(w->waited_until(), t.from), std::min(w->back, t.to), Label::sched_runq);
      at = std::min(w->back, t.to);
    }
    behind(at, t.to);
  }

  // A thread that has one connection at a time is no loop to the connection that waits in the listener's queue.
  Observed::Queued queued() const {
    const EndLog* end = k_.observed.end(draft_.w.id.connection);
    return end && end->accepter == tid_ && !log_.serves_several ? k_.observed.queued(draft_.w.id.connection)
                                                                : Observed::Queued();
  }

  // Labels [from, to), in which the loop did not work on the request.
  void gap(Nanos from, Nanos to, std::span<const Call> calls) {
    const Window& w = draft_.w;
    if (w.server()) from = std::max(from, w.first);  // until then it had arrived and was not noticed
    if (from >= to) return;
    if (w.server()) {
      if (from < w.second) {
        const Nanos whole = std::min(to, w.second);
        upload(from, whole);
        from = whole;
      }
      if (to > w.third) {
        const Nanos begun = std::max(from, w.third);
        const bool full = filled(begun);
        for (const TimeSpan& piece : window_open(begun, to))
          full ? unwritten(piece.time, piece.to) : waited(piece.time, piece.to, calls);
        to = std::min(to, w.third);
      }
    }
    waited(from, to, calls);
  }

  // For more of the request. What arrives on a connection of several streams can be another's.
  void upload(Nanos from, Nanos to) {
    const EndLog* end = draft_.w.streams ? k_.observed.end(draft_.w.id.connection) : nullptr;
    for (std::size_t tries = 0; tries < kMostArrivals && from < to; ++tries) {
      const Nanos there = add_awaited_bytes(k_, draft_.w.id.connection, from, to, Label::net_upload, Label::net_reorder,
                                            Evidence::measured, client_of(k_, draft_), draft_);
      const PositionMark* read = end && there < to ? end->read.first_after(there) : nullptr;
      if (!read || read == end->read.end()) return;
      from = read->time;
    }
  }

  // For an answer of its calls, or for something else.
  void waited(Nanos from, Nanos to, std::span<const Call> calls) {
    if (from >= to) return;
    for (const TimeSpan& piece : add_calls(k_, calls, from, to, draft_)) unknown(piece.time, piece.to, calls);
  }

  // The response was begun. The parts of [from, to) in which the client's HTTP/2 window did not hold more of it back.
  std::vector<TimeSpan> window_open(Nanos from, Nanos to) {
    std::vector<TimeSpan> out;
    if (const ExchangeNote* note = k_.windows.note(draft_.w.id))
      for (const auto& held : note->held_up) {
        const Nanos a = std::max(formats::nanoseconds(held.from), from),
                    b = std::min(formats::nanoseconds(held.to), to);
        if (a >= b) continue;
        draft_.add(a, b, Label::send_h2fc);
        if (from < a) out.push_back({from, a});
        from = b;
      }
    if (from < to) out.push_back({from, to});
    return out;
  }

  // The loop went on to other things after `at` because the socket's buffer was full.
  bool filled(Nanos at) const {
    const OffCpuWait* idle = log_.waits.last_before(at);
    while (idle && idle->blocked != Blocked::poll && idle->blocked != Blocked::poll_one)
      idle = idle == log_.waits.begin() ? nullptr : idle - 1;
    const OffCpuWait* next = log_.waits.first_at(at);
    while (next != log_.waits.end() && next->blocked != Blocked::poll && next->blocked != Blocked::poll_one) ++next;
    return fills_buffer(k_, draft_.w.id.connection, idle ? idle->back : draft_.w.from,
                        next != log_.waits.end() ? next->time : at);
  }

  // More could not be written, until the loop's last wake-up.
  void unwritten(Nanos from, Nanos to) {
    const LoopTimeline::Range r = timeline_.range(from, to, range_);
    const std::uint32_t who = client_of(k_, draft_);
    for (std::uint64_t i = r.first; i <= r.last && r.size() != 0; ++i)
      if (const LoopTurn& t = timeline_.turn(i); t.idle && t.woken)
        draft_.add(std::max(t.from, from), std::min(t.runnable, to), Label::send_sndbuf, Evidence::inferred, who);
  }

  // No call was under way: a timer or an unseen event, until the wake-up after which the request went on.
  void unknown(Nanos from, Nanos to, std::span<const Call> calls) {
    if (from >= to) return;
    const LoopTimeline::Range r = timeline_.range(from, to, range_);
    const std::uint64_t number = r.size() == 0 ? 0 : timeline_.turn(r.last).last_idle;
    if (number < std::max<std::uint64_t>(r.first, 1)) return;
    const LoopTurn& idle = timeline_.turn(number);
    const OffCpuWait* last = log_.waits.last_before(idle.to);
    if (!idle.woken || !last || last->back != idle.to) return;
    const Nanos until = std::min(last->runnable, to);
    if (const Wake work = workers_.worker(from, last->runnable); work.tid != 0) {
      const Nanos taken = std::max(from, work.time);
      draft_.add(from, taken, Label::q_pool, Evidence::inferred);
      worked_.push_back({taken, until});
      return add_running(k_, work.tid, taken, until, calls, draft_, Evidence::inferred);
    }
    const LoopTurn* const next = resumed(to);
    if (next && reads_own(*next)) return upload(from, to);
    if (const auto holder = next ? connection_of(from, *next, calls) : std::nullopt)
      return draft_.add(from, until, Label::q_pool, Evidence::inferred, draft_.who(0, *holder, tid_));
    if (const auto pool = workers_.taken_late(from, *last)) {
      draft_.add(from, pool->at, Label::q_pool, Evidence::inferred, draft_.who(pool->places, pool->behind, pool->tid));
      worked_.push_back({pool->at, until});
      return add_running(k_, pool->tid, pool->at, until, calls, draft_, Evidence::inferred);
    }
    if (const auto call = orphans_.passed_on(next, *last)) return orphans_.add(*call, from, to);
    connecting(from, until);
    if (next && elsewhere(from, to, *next, *last)) return;
    if (const Nanos due = timer(next, *last); due != 0)
      return draft_.add(from, std::min(due, to), Label::timer_sleep, Evidence::inferred);
    if (const auto call = orphans_.answered(from, to, next, *last)) return orphans_.add(*call, from, to);
    if (last->ongoing) {  // nothing woke it
      if (const auto call = orphans_.unanswered(last->time)) return orphans_.add(*call, from, to);
      return draft_.add(from, until, Label::blocked_unknown, Evidence::inferred);
    }
    if (const auto holder = LockHolders(k_.windows, k_.observed, draft_.w, tid_).of_session(*last);
        holder.connection != 0)
      return draft_.add(from, until, Label::lock_session, Evidence::inferred, draft_.who(0, holder, last->waker));
    const Workers::Taken full = workers_.all_busy(from, *last);
    draft_.add(from, full.at, Label::q_pool, Evidence::inferred, draft_.who(full.places, full.behind));
    draft_.add(full.at, until, woken_by(*last, next), Evidence::inferred,
               workers_.elsewhere(last->waker) ? draft_.who(0, {}, last->waker) : 0);
  }

  // The loop had begun to connect in the request's turn, and the socket never carried a request.
  void connecting(Nanos from, Nanos until) {
    const ProcessLog* process = k_.observed.process(log_.pid);
    if (!process) return;
    process->attempts.each(from, until, [&](const Attempt& a) {
      const bool own = a.tid == tid_ && std::any_of(own_.begin(), own_.end(), [&](const LoopTurn& t) {
                         return t.from <= a.time && a.time < t.to && !t.doubtful;
                       });
      if (own)
        draft_.add(std::max(from, a.time), std::min(until, a.to), Label::down_connect, Evidence::inferred,
                   a.peer != 0 ? draft_.who(a.peer) : 0);
    });
  }

  // The loop wrote to a socket without requests in the request's turn, and read from it in the turn in which the
  // request went on: it likely waited for that answer. Several such sockets: they have one other end, or none is named.
  bool elsewhere(Nanos from, Nanos to, const LoopTurn& next, const OffCpuWait& idle) {
    if (idle.woken_by_timer()) return false;
    formats::SocketId socket = 0;
    bool several = false;
    for (const BytesMoved* e = log_.elsewhere.first_at(idle.back); e != log_.elsewhere.end() && e->time <= next.to;
         ++e) {
      if (e->out || !wrote(e->socket, from)) continue;
      several = several || (socket != 0 && k_.observed.peer_of(e->socket) != k_.observed.peer_of(socket));
      socket = e->socket;
    }
    if (socket == 0) return false;
    const Stranger* s = k_.observed.stranger(socket);
    add_elsewhere(k_, several ? 0 : socket, from, std::min(idle.runnable, to),
                  s && s->asks ? Label::down_wait : Label::net_unknown_socket, Evidence::inferred,
                  several ? 0 : k_.observed.peer_of(socket), draft_);
    return true;
  }

  // In a turn of the request that began before `until`.
  bool wrote(formats::SocketId socket, Nanos until) const {
    for (const LoopTurn& t : own_) {
      if (t.from >= until || t.doubtful) continue;
      for (const BytesMoved* e = log_.elsewhere.first_at(t.from); e != log_.elsewhere.end() && e->time <= t.to; ++e)
        if (e->out && e->socket == socket) return true;
    }
    return false;
  }

  // The request goes on with a call on a connection on which the loop has, since `from`, read an answer for another
  // request: it waited for that connection.
  std::optional<model::ExchangeId> connection_of(Nanos from, const LoopTurn& next, std::span<const Call> calls) const {
    for (const Call& c : calls) {
      if (c.began < next.from || c.began > next.to) continue;
      const Act* a = log_.acts.last_until(c.began);
      for (std::size_t tries = 0; a && a->time > from && tries < kMostActs; ++tries, --a) {
        if (a->connection == c.w.id.connection && !a->out && a->owner.connection != 0 && a->owner != draft_.w.id)
          return a->owner;
        if (a == log_.acts.begin()) break;
      }
    }
    return std::nullopt;
  }

  // The turn begins with a read of the request's own.
  bool reads_own(const LoopTurn& t) const {
    const Act* a = log_.acts.first_at(t.from);
    if (a == log_.acts.end() || (a->time != t.from && (a->time != t.to || t.of_before))) return false;
    return !a->out && !a->shared && a->connection == draft_.w.id.connection && a->owner == draft_.w.id;
  }

  // The request's turn that ends a gap at `to`; nullptr: none.
  const LoopTurn* resumed(Nanos to) const {
    for (const LoopTurn& t : own_)
      if (t.to > to) return &t;
    return nullptr;
  }

  // Until then the loop did nothing for others since it woke up.
  bool goes_first(const LoopTurn* next, const OffCpuWait& idle) const { return !next || next->from <= idle.back; }

  // Nor did it read anything.
  bool reads_before(const LoopTurn* next, const OffCpuWait& idle) const {
    const Nanos until = next ? next->from : draft_.w.to;
    for (const Act* a = log_.acts.first_at(idle.back); a != log_.acts.end() && a->time <= until; ++a)
      if (!a->out) return true;
    return false;
  }

  // When the timer expired for which the request waited; 0: it did not wait for one, as far as is known.
  Nanos timer(const LoopTurn* next, const OffCpuWait& idle) const {
    if (idle.woken_by_timer() && !reads_before(next, idle)) return idle.runnable;
    // The loop waits until its next timer is due at most. It counts from when it began the iteration before, in ms.
    if (idle.due == 0 || !next) return 0;
    const OffCpuWait* before = &idle == log_.waits.begin() ? nullptr : &idle - 1;
    while (before && before->blocked != Blocked::poll) before = before == log_.waits.begin() ? nullptr : before - 1;
    const Nanos rounding = kLoopTick + (before ? std::min(idle.time - before->back, kMostLag) : 0);
    return idle.due - rounding <= next->to ? std::clamp(idle.due, idle.runnable, next->from) : 0;
  }

  Label woken_by(const OffCpuWait& idle, const LoopTurn* next) const {
    if (!goes_first(next, idle) || idle.woken_by_timer() || idle.waker != 0 || !workers_.alone(idle.runnable))
      return Label::blocked_unknown;
    const TimeSpan* arrived = k_.observed.arrivals_elsewhere().last_until(idle.runnable);
    if (arrived && arrived->time > idle.time && idle.runnable - arrived->time < kPrompt)
      return Label::net_unknown_socket;
    // Older captures do not tell what woke it.
    return idle.woken_in != formats::WokenIn::unknown ? Label::blocked_unknown : Label::timer_sleep;
  }

  const DraftContext& k_;
  const ThreadLog& log_;
  const LoopTimeline& timeline_;
  const std::uint32_t tid_;
  Draft& draft_;
  const LoopTimeline::Range range_;
  const LoopTimeline::Own own_;
  Orphans orphans_;
  const Workers workers_;
  const Observed::Queued queued_;
  const bool new_;
  std::vector<TimeSpan> worked_;  // other threads of the process on this request, in order of time
};

}  // namespace

void add_by_turns(const DraftContext& k, std::uint32_t loop, std::span<const Call> calls, Draft& draft) {
  const ThreadLog* log = k.observed.thread(loop);
  const LoopTimeline* timeline = k.loops.of(loop);
  if (!log || !timeline || log->known_since == 0) return;
  Loop turns(k, *log, *timeline, loop, draft);
  if (turns.is_new()) {
    draft.add(draft.w.from, log->start(), Label::q_accept, Evidence::inferred);
    if (log->observed_since() < draft.w.first) add_running(k, loop, log->observed_since(), draft.w.first, calls, draft);
  }

  turns.add_own(calls);
  if (draft.detail == DraftDetail::sums && turns.summable())
    turns.add_background(calls);
  else
    turns.add_turns(calls);
  log->lost.each(draft.w.from, draft.w.to,
                 [&](const TimeSpan& s) { draft.add(s.time, s.to, Label::unexplained_lost); });
  const Nanos silent = log->waits.size() == 0 ? 0 : (log->waits.end() - 1)->back;
  k.observed.counted().each(draft.w.from, draft.w.to, [&](const TimeSpan& s) {
    draft.add(std::max(s.time, silent), s.to, Label::unexplained_lost);
  });
}

}  // namespace tailcap::partition
