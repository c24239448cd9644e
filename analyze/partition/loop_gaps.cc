#include "analyze/partition/loop_gaps.h"

#include <algorithm>

#include "analyze/partition/draft/running.h"
#include "analyze/partition/history/lock_holders.h"

namespace tailcap::partition {

using model::Evidence;
using model::Label;

namespace {

// What loops count time in, and the longest time of an iteration that is allowed for.
constexpr Nanos kLoopTick = 1'000'000, kMostLag = 50'000'000;
// How many arrivals for other streams are passed over while a request waits for its own.
constexpr std::size_t kMostArrivals = 256;
// How far back the last answer on a connection is looked for.
constexpr std::size_t kMostActs = 256;

}  // namespace

void LoopGaps::add(Nanos from, Nanos to, std::span<const Call> calls) {
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

void LoopGaps::upload(Nanos from, Nanos to) {
  const EndLog* end = draft_.w.streams ? k_.observed.end(draft_.w.id.connection) : nullptr;
  for (std::size_t tries = 0; tries < kMostArrivals && from < to; ++tries) {
    const Nanos there = add_awaited_bytes(k_, draft_.w.id.connection, from, to, Label::net_upload, Label::net_reorder,
                                          Evidence::measured, client_of(k_, draft_), draft_);
    const PositionMark* read = end && there < to ? end->read.first_after(there) : nullptr;
    if (!read || read == end->read.end()) return;
    from = read->time;
  }
}

void LoopGaps::waited(Nanos from, Nanos to, std::span<const Call> calls) {
  if (from >= to) return;
  for (const TimeSpan& piece : add_calls(k_, calls, from, to, draft_)) unknown(piece.time, piece.to, calls);
}

std::vector<TimeSpan> LoopGaps::window_open(Nanos from, Nanos to) {
  std::vector<TimeSpan> out;
  if (const ExchangeNote* note = k_.windows.note(draft_.w.id))
    for (const auto& held : note->held_up) {
      const Nanos a = std::max(formats::nanoseconds(held.from), from), b = std::min(formats::nanoseconds(held.to), to);
      if (a >= b) continue;
      draft_.add(a, b, Label::send_h2fc);
      if (from < a) out.push_back({from, a});
      from = b;
    }
  if (from < to) out.push_back({from, to});
  return out;
}

bool LoopGaps::filled(Nanos at) const {
  const OffCpuWait* idle = log_.waits.last_before(at);
  while (idle && idle->blocked != Blocked::poll && idle->blocked != Blocked::poll_one)
    idle = idle == log_.waits.begin() ? nullptr : idle - 1;
  const OffCpuWait* next = log_.waits.first_at(at);
  while (next != log_.waits.end() && next->blocked != Blocked::poll && next->blocked != Blocked::poll_one) ++next;
  return k_.observed.fills_buffer(draft_.w.id.connection, idle ? idle->back : draft_.w.from,
                                  next != log_.waits.end() ? next->time : at);
}

void LoopGaps::unwritten(Nanos from, Nanos to) {
  const LoopTimeline::Range r = timeline_.range(from, to, range_);
  const std::uint32_t who = client_of(k_, draft_);
  for (std::uint64_t i = r.first; i <= r.last && r.size() != 0; ++i)
    if (const LoopTurn& t = timeline_.turn(i); t.idle && t.woken)
      draft_.add(std::max(t.from, from), std::min(t.runnable, to), Label::send_sndbuf, Evidence::inferred, who);
}

void LoopGaps::unknown(Nanos from, Nanos to, std::span<const Call> calls) {
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

void LoopGaps::connecting(Nanos from, Nanos until) {
  const ProcessLog* process = k_.observed.process(log_.pid);
  if (!process) return;
  add_connecting(*process, from, until, draft_, [&](const Attempt& a) {
    return a.tid == tid_ && std::ranges::any_of(own_, [&](const LoopTurn& t) {
             return t.from <= a.time && a.time < t.to && !t.doubtful;
           });
  });
}

bool LoopGaps::elsewhere(Nanos from, Nanos to, const LoopTurn& next, const OffCpuWait& idle) {
  if (idle.woken_by_timer()) return false;
  formats::SocketId socket = 0;
  bool several = false;
  for (const BytesMoved* e = log_.elsewhere.first_at(idle.back); e != log_.elsewhere.end() && e->time <= next.to; ++e) {
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

bool LoopGaps::wrote(formats::SocketId socket, Nanos until) const {
  for (const LoopTurn& t : own_) {
    if (t.from >= until || t.doubtful) continue;
    for (const BytesMoved* e = log_.elsewhere.first_at(t.from); e != log_.elsewhere.end() && e->time <= t.to; ++e)
      if (e->out && e->socket == socket) return true;
  }
  return false;
}

std::optional<model::ExchangeId> LoopGaps::connection_of(Nanos from, const LoopTurn& next,
                                                         std::span<const Call> calls) const {
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

bool LoopGaps::reads_own(const LoopTurn& t) const {
  const Act* a = log_.acts.first_at(t.from);
  if (a == log_.acts.end() || (a->time != t.from && (a->time != t.to || t.of_before))) return false;
  return !a->out && !a->shared && a->connection == draft_.w.id.connection && a->owner == draft_.w.id;
}

const LoopTurn* LoopGaps::resumed(Nanos to) const {
  for (const LoopTurn& t : own_)
    if (t.to > to) return &t;
  return nullptr;
}

bool LoopGaps::goes_first(const LoopTurn* next, const OffCpuWait& idle) const {
  return !next || next->from <= idle.back;
}

bool LoopGaps::reads_before(const LoopTurn* next, const OffCpuWait& idle) const {
  const Nanos until = next ? next->from : draft_.w.to;
  for (const Act* a = log_.acts.first_at(idle.back); a != log_.acts.end() && a->time <= until; ++a)
    if (!a->out) return true;
  return false;
}

Nanos LoopGaps::timer(const LoopTurn* next, const OffCpuWait& idle) const {
  if (idle.woken_by_timer() && !reads_before(next, idle)) return idle.runnable;
  // The loop waits until its next timer is due at most. It counts from when it began the iteration before, in ms.
  if (idle.due == 0 || !next) return 0;
  const OffCpuWait* before = &idle == log_.waits.begin() ? nullptr : &idle - 1;
  while (before && before->blocked != Blocked::poll) before = before == log_.waits.begin() ? nullptr : before - 1;
  const Nanos rounding = kLoopTick + (before ? std::min(idle.time - before->back, kMostLag) : 0);
  return idle.due - rounding <= next->to ? std::clamp(idle.due, idle.runnable, next->from) : 0;
}

Label LoopGaps::woken_by(const OffCpuWait& idle, const LoopTurn* next) const {
  if (!goes_first(next, idle) || idle.woken_by_timer() || idle.waker != 0 || !workers_.alone(idle.runnable))
    return Label::blocked_unknown;
  const TimeSpan* arrived = k_.observed.arrivals_elsewhere().last_until(idle.runnable);
  if (arrived && arrived->time > idle.time && idle.runnable - arrived->time < kPrompt) return Label::net_unknown_socket;
  // Older captures do not tell what woke it.
  return idle.woken_in != formats::WokenIn::unknown ? Label::blocked_unknown : Label::timer_sleep;
}

}  // namespace tailcap::partition
