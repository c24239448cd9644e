#include "analyze/partition/by_thread.h"

#include <algorithm>
#include <optional>

#include "analyze/partition/draft/running.h"
#include "analyze/partition/history/busy_loop.h"

namespace tailcap::partition {
namespace {

using model::Evidence;
using model::Label;

constexpr std::size_t kLookedBack = 256;  // waits

// The thread itself waits for what arrives on the connection, so no other thread hands requests to it.
bool reads_itself(const DraftContext& k, const ThreadLog& log, const Draft& draft) {
  const OffCpuWait* w = log.waits.last_before(draft.w.first);
  for (std::size_t n = 0; w && n < kLookedBack; ++n) {
    if ((w->blocked == Blocked::input || w->blocked == Blocked::poll_one) && w->socket != 0 &&
        k.observed.connection_of(w->socket) == draft.w.id.connection)
      return true;
    w = w == log.waits.begin() ? nullptr : w - 1;
  }
  return false;
}

// [from, to), in which a thread was busy and did not come to this request: as long as it had not accepted the
// connection, that waited in the listener's queue.
void add_behind(const DraftContext& k, std::uint32_t tid, Nanos from, Nanos to, std::uint32_t who, Draft& draft) {
  const EndLog* end = k.observed.end(draft.w.id.connection);
  const Observed::Queued queued = k.observed.queued(draft.w.id.connection);
  const Nanos until = end && end->accepter == tid ? std::clamp(queued.until, from, std::max(from, to)) : from;
  draft.add(from, until, Label::q_accept, queued.evidence, who);
  draft.add(until, to, Label::q_pool, Evidence::inferred, who);
}

// Until a thread that was busy elsewhere came to this request.
void add_busy(const DraftContext& k, std::uint32_t tid, const ThreadLog& log, Nanos from, Nanos to,
              std::span<const Call> calls, Draft& draft) {
  const Act* other = nullptr;
  for (const Act* a = log.acts.first_after(from); a != log.acts.end() && a->time < to; ++a)
    if (a->connection != draft.w.id.connection) other = a;
  Nanos at = from;
  if (other) {
    add_behind(k, tid, from, other->time, draft.who(0, other->owner, other->tid), draft);
    at = other->time;
  }
  if (at >= to) return;
  // What the thread waited for is why it did not come; while it ran, it was busy with what came before.
  const std::size_t before = draft.conditions.size();
  add_running(k, tid, at, to, calls, draft, Evidence::inferred);
  for (std::size_t i = before; i < draft.conditions.size(); ++i)
    if (!model::unexplained(draft.conditions[i].label)) draft.conditions[i].evidence = Evidence::inferred;
  const Act* last = log.acts.last_before(to);
  const std::uint32_t who =
      last && last->owner.connection != 0 && last->owner != draft.w.id ? draft.who(0, last->owner, last->tid) : 0;
  const OffCpuWait* w = log.waits.last_until(at);
  for (w = w ? w : log.waits.begin(); w != log.waits.end() && w->time < to; ++w) {
    add_behind(k, tid, at, w->time, who, draft);
    at = std::max(at, w->back);
  }
  add_behind(k, tid, at, to, who, draft);
}

// From the arrival of its first byte to the read.
void add_arrival(const DraftContext& k, std::uint32_t tid, std::span<const Call> calls, Draft& draft) {
  const Nanos from = draft.w.from, to = draft.w.first;
  const ThreadLog* log = k.observed.thread(tid);
  if (from >= to || !log || log->known_since == 0) return;
  // The last time that it waited for something to do.
  const OffCpuWait* idle = nullptr;
  const bool itself = reads_itself(k, *log, draft);
  for (const OffCpuWait* w = log->waits.last_before(to); w && w->back >= from;
       w = w == log->waits.begin() ? nullptr : w - 1) {
    const Blocked b = w->blocked;
    if (b != Blocked::poll && b != Blocked::poll_one && b != Blocked::input && b != Blocked::accept &&
        b != Blocked::futex && b != Blocked::born)
      continue;
    if (b == Blocked::futex && (itself || expired(*log, *w))) continue;
    idle = w;
    break;
  }
  if (!idle) {
    if (const Nanos start = log->start(); start > from && start < to) {
      draft.add(from, start, Label::q_accept, Evidence::inferred);
      if (log->observed_since() < to) add_running(k, tid, log->observed_since(), to, calls, draft);
      return;
    }
    add_first_wait(*log, from, to, draft);
    add_busy(k, tid, *log, std::max(from, log->known_since), to, calls, draft);
    return log->lost.each(from, to,
                          [&](const TimeSpan& s) { draft.add(s.time, std::min(s.to, to), Label::unexplained_lost); });
  }
  if (idle->time > from) {
    const Nanos start = log->start();
    if (start > from) draft.add(from, start, Label::q_accept, Evidence::inferred);
    add_busy(k, tid, *log, std::max({from, start, log->known_since}), idle->time, calls, draft);
  }
  if (!idle->woken()) {
    draft.add(idle->time, idle->back, Label::unexplained_opaque);
  } else if (idle->blocked == Blocked::futex) {
    draft.add(idle->time, idle->runnable, Label::q_pool, Evidence::inferred, draft.who(0, {}, idle->waker));
  } else {
    draft.add(idle->time, idle->runnable, idle->blocked == Blocked::accept ? Label::q_accept : Label::q_notice);
  }
  add_queued(*idle, from, to, draft);
  add_running(k, tid, idle->back, to, calls, draft);
}

struct Handover {
  Nanos at = 0;
  Evidence evidence = Evidence::inferred;
  model::ExchangeId behind;
  std::uint32_t tid = 0;
};

// When thread b took over what thread a had last acted on at `from`, before it acted itself at `to`.
std::optional<Handover> handover(const DraftContext& k, std::uint32_t a, std::uint32_t b, Nanos from, Nanos to,
                                 const Draft& draft) {
  const ThreadLog* log = k.observed.thread(b);
  if (!log) return std::nullopt;
  // It was busy with others: it took this when it was done with the last.
  const Act* other = nullptr;
  for (const Act* x = log->acts.first_after(from); x != log->acts.end() && x->time < to; ++x)
    if (x->connection != draft.w.id.connection && x->owner != draft.w.id) other = x;
  if (other) return Handover{other->time, Evidence::inferred, other->owner, b};
  // It slept when this was handed over, or went to sleep just before: what woke it had something for it.
  const OffCpuWait* w = log->waits.last_until(from);
  if (w && w->woken() && w->runnable > from && w->runnable < to)
    return Handover{w->runnable, w->waker == a ? Evidence::measured : Evidence::inferred, {}, b};
  for (w = log->waits.first_after(from); w != log->waits.end() && w->time < to; ++w)
    if (w->woken() && w->waker == a && w->runnable < to) return Handover{w->runnable, Evidence::measured, {}, b};
  if (log->born > from && log->born < to) return Handover{log->born, Evidence::measured, {}, b};
  return std::nullopt;
}

}  // namespace

void add_without_waits(const DraftContext& k, std::span<const Call> calls, const Acts& acts, Draft& draft) {
  const Window& w = draft.w;
  for (std::size_t i = 0; i + 1 < acts.size() && !w.streams; ++i)
    if (!acts[i].out && !acts[i + 1].out && acts[i + 1].time <= w.second)
      add_awaited_bytes(k, w.id.connection, acts[i].time, acts[i + 1].time, Label::net_upload, Label::net_reorder,
                        Evidence::inferred, client_of(k, draft), draft);
  for (const Call& c : calls)
    if (c.on_path) add_down(k, c, std::max(w.first, c.began), w.third, Evidence::inferred, draft);
}

Acts acts_of(const DraftContext& k, const Window& w) {
  Acts acts;
  const EndLog* end = k.observed.end(w.id.connection);
  if (!end) return acts;
  // Where there are many streams, only what was moved at its milestones is known to be its own.
  if (w.streams) {
    const auto add = [&](Nanos t, bool out) {
      if (t < w.from || t > w.to || (!acts.empty() && acts.back().time >= t)) return;
      for (const Act* a = end->acts.first_at(t); a != end->acts.end() && a->time == t; ++a)
        if (a->out == out) acts.push_back(*a);
    };
    const bool in = w.server();
    add(in ? w.first : w.from, !in);
    add(in ? w.second : w.first, !in);
    add(w.third, in);
    add(w.to, in);
    return acts;
  }
  const Act* const first = end->acts.first_at(w.from);
  const Act* last = first;
  while (last != end->acts.end() && last->time <= w.to) ++last;
  acts.assign(first, last);
  return acts;
}

void add_by_thread(const DraftContext& k, std::span<const Call> calls, Draft& draft) {
  const Window& w = draft.w;
  std::uint32_t carrier = w.tid;
  const Acts acts = acts_of(k, w);
  Nanos since = w.server() ? w.first : w.from, last = since;
  for (const Act& a : acts)
    if (a.time == since) {
      carrier = a.tid;
      break;
    }
  if (w.server()) add_arrival(k, carrier, calls, draft);
  for (const Act& a : acts) {
    if (a.time <= last && a.tid == carrier) continue;
    if (a.tid != carrier) {
      add_running(k, carrier, since, last, calls, draft);
      const auto taken = handover(k, carrier, a.tid, last, a.time, draft);
      draft.carried.push_back({since, taken && taken->evidence == Evidence::measured ? taken->at : last, carrier});
      if (taken) draft.add(last, taken->at, Label::q_pool, taken->evidence, draft.who(0, taken->behind, taken->tid));
      carrier = a.tid;
      since = taken ? taken->at : a.time;
    }
    last = std::max(last, a.time);
  }
  add_running(k, carrier, since, w.to, calls, draft);
  draft.carried.push_back({since, w.to, carrier});
  const ThreadLog* log = k.observed.thread(carrier);
  if (w.server() && (!log || log->known_since == 0)) add_without_waits(k, calls, acts, draft);
}

}  // namespace tailcap::partition
