#include "analyze/partition/by_goroutine.h"

#include <algorithm>

#include "analyze/partition/by_thread.h"
#include "analyze/partition/draft/running.h"
#include "analyze/partition/goroutine_states.h"

namespace tailcap::partition {
namespace {

using model::Evidence;
using model::Label;

// The place where a goroutine is known to have worked on the request at one time.
struct Point {
  Nanos time = 0;
  std::uint64_t goroutine = 0;
  std::uint32_t tid = 0;
  bool read = false;   // it took bytes: the goroutine had just been put on the thread
  bool parks = false;  // a call was sent: it waits for the answer from here on
  bool off = false;    // its thread was switched out while running it
  Nanos back = 0;
  formats::SocketId socket = 0;  // the bytes were those of this socket, which carries no requests
};

class Goroutines {
 public:
  Goroutines(const DraftContext& k, CarryingGoroutine goroutine, std::span<const Call> calls, Draft& draft)
      : k_(k),
        calls_(calls),
        draft_(draft),
        process_(k.observed.process(draft.w.pid)),
        goroutine_(goroutine.number),
        only_its_(goroutine.handler || !draft.w.streams) {}

  void run() {
    collect();
    if (process_) process_->stops.each(draft_.w.from, draft_.w.to, [&](const TimeSpan& s) { stops_.push_back(s); });
    const Window& w = draft_.w;
    if (points_.empty()) return gap(w.from, nullptr, w.to);
    gap(w.from, &points_.front(), points_.front().time);
    for (std::size_t i = 0; i + 1 < points_.size(); ++i) between(points_[i], points_[i + 1]);
    const Point& last = points_.back();
    if (last.time < w.to) between(last, {w.to, last.goroutine, last.tid, false, false, false, 0});
  }

 private:
  void collect() {
    const Window& w = draft_.w;
    for (const Act& a : acts_of(k_, w))
      points_.push_back({a.time, a.goroutine, a.tid, !a.out, !a.out ? false : !w.server(), false, 0});
    const Nanos begin = w.server() ? w.first : w.from;
    if (const Log<Sighting>* seen = w.server() && only_its_ ? k_.observed.goroutine(w.pid, goroutine_) : nullptr)
      for (const Sighting* s = seen->first_at(begin); s != seen->end() && s->time <= w.to; ++s)
        if (!s->state && s->connection != w.id.connection)
          points_.push_back({s->time, goroutine_, s->tid, (s->connection != 0 || s->socket != 0) && !s->out,
                             s->connection != 0 && s->out, s->off, s->back, s->socket});
    if (w.server())
      for (const Call& c : calls_) {
        if (c.sender != 0 && c.w.from >= begin && c.w.from <= w.to)
          points_.push_back({c.w.from, c.goroutine, c.sender, false, true, false, 0});
        if (c.reader != 0 && c.on_path && c.read >= begin && c.read <= w.to)
          points_.push_back({c.read, c.read_by, c.reader, true, false, false, 0});
      }
    std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) {
      return a.time != b.time             ? a.time < b.time
             : a.goroutine != b.goroutine ? a.goroutine < b.goroutine
                                          : a.tid < b.tid;
    });
    points_.erase(
        std::unique(points_.begin(), points_.end(),
                    [](const Point& a, const Point& b) { return a.time == b.time && a.goroutine == b.goroutine; }),
        points_.end());
  }

  // When something else than the goroutine was first seen on its thread after t.
  Nanos elsewhere(const Point& p, Nanos until) const {
    const ThreadLog* log = k_.observed.thread(p.tid);
    if (!log) return p.time;
    Nanos end = until;
    // Which goroutine it was is not known: whenever the thread waits, it may be another afterwards.
    const auto stays = [&](const OffCpuWait& w) {
      return p.goroutine != 0 ? w.goroutine == p.goroutine
                              : w.blocked == Blocked::preempted || w.blocked == Blocked::throttled;
    };
    for (const OffCpuWait* w = log->waits.first_at(p.time); w != log->waits.end() && w->time < end; ++w)
      if (!stays(*w)) end = w->time;
    for (const Act* a = log->acts.first_after(p.time); a != log->acts.end() && a->time < end; ++a)
      if (a->goroutine != p.goroutine) end = a->time;
    return end;
  }

  void between(const Point& a, const Point& b) {
    const Nanos until = std::min(b.time, draft_.w.to);
    if (a.time >= until) return;
    // It was switched out and in with its thread.
    if (a.off && a.back >= until) return add_running(k_, a.tid, a.time, until, calls_, draft_);
    Point from = a;
    if (a.off) {
      add_running(k_, a.tid, a.time, a.back, calls_, draft_);
      from.time = a.back;
    }
    const Nanos left = from.parks && b.goroutine != from.goroutine ? from.time : elsewhere(from, until);
    if (left >= until && a.tid == b.tid && a.goroutine == b.goroutine)
      return add_running(k_, a.tid, from.time, until, calls_, draft_);
    // As far as is known, it ran until another goroutine was seen there, unless it had just sent a call. A goroutine
    // that only moves the bytes of several requests is no evidence for this one.
    Nanos parked = from.parks || (draft_.w.server() && !only_its_) ? from.time : left;
    if (parked > from.time) add_running(k_, a.tid, from.time, parked, calls_, draft_, Evidence::inferred);
    gap(std::min(parked, until), &b, until);
  }

  // It was not seen in [from, to); then it is at b.
  void gap(Nanos from, const Point* b, Nanos to) {
    from = std::max(from, draft_.w.from);
    to = std::min(to, draft_.w.to);
    if (from >= to) return;
    const Window& w = draft_.w;
    for (const TimeSpan& s : stops_) draft_.add(std::max(s.time, from), std::min(s.to, to), Label::go_stw);
    // The thread that took it up, if it had to be woken.
    const OffCpuWait* woken = nullptr;
    if (const ThreadLog* log = b ? k_.observed.thread(b->tid) : nullptr)
      if (const OffCpuWait* last = log->waits.last_before(to);
          last && last->back <= to && last->back > from && last->woken() && last->goroutine != b->goroutine)
        woken = last;
    if (w.server() && from < w.first) {
      // Arrived and not read: first no thread was woken, then the thread was, then the goroutine.
      const Nanos read = std::min(to, w.first);
      if (woken && woken->runnable > from) draft_.add(from, std::min(woken->runnable, read), Label::q_notice);
      dispatched(woken, from, read, read);
      from = read;
      if (from >= to) return;
    }
    Nanos happened = 0;  // time of the awaited event, as far as is known
    if (w.server() && from < w.second) {
      const Nanos whole = std::min(to, w.second);
      happened = add_awaited_bytes(k_, w.id.connection, from, whole, Label::net_upload, Label::net_reorder,
                                   Evidence::measured, client_of(k_, draft_), draft_);
      if (happened < whole) dispatched(woken, happened, whole, whole);
      from = whole;
    }
    if (w.server() && from >= w.third) return responding(from, to, woken);
    if (from >= to) return;
    for (const TimeSpan& piece : add_calls(k_, calls_, from, to, draft_)) parked(piece.time, piece.to, woken, b, to);
    // Before the answer of a call, and none of the call's own stages: parked all the same.
    for (const Call& c : calls_)
      if (c.on_path && w.server()) park(std::max(from, c.began), std::min(to, c.arrived));
    for (const Call& c : calls_)
      if ((c.on_path || !w.server()) && c.arrived > from - 1 && c.arrived < to && c.began < to)
        happened = std::max({happened, c.arrived, from});
    if (happened == 0) return;
    // After the answer: no thread ran it, or the one that does had to be woken, or it runs again.
    const Nanos runs = woken && woken->back > happened && b && !b->read ? woken->back : to;
    dispatched(woken, happened, runs, to);
    if (runs < to) add_running(k_, b->tid, runs, to, calls_, draft_, Evidence::inferred);
  }

  // Ready at `from`: until a thread was woken for it, while that one queued for a CPU, and until the goroutine was on
  // it.
  void dispatched(const OffCpuWait* woken, Nanos from, Nanos to, Nanos end) {
    if (!woken || woken->back <= from || woken->back > end)
      return draft_.add(from, to, Label::go_runnable, Evidence::inferred);
    draft_.add(from, std::min(woken->runnable, to), Label::go_runnable, Evidence::inferred);
    draft_.add(std::max(woken->runnable, from), std::min(woken->back, to), Label::sched_runq);
    draft_.add(std::max(woken->back, from), to, Label::go_runnable, Evidence::inferred);
  }

  // No call was under way: parked for an unknown reason, until the wake-up of the thread that then ran it.
  void parked(Nanos from, Nanos to, const OffCpuWait* woken, const Point* b, Nanos end) {
    if (woken && b && !b->read && woken->runnable > from && woken->back < to && to == end &&
        alone(*b, woken->back, to)) {
      park(from, woken->runnable, b);
      draft_.add(woken->runnable, woken->back, Label::sched_runq);
      return add_running(k_, b->tid, woken->back, to, calls_, draft_, Evidence::inferred);
    }
    park(from, to, b);
  }

  // The socket without requests that it read before it could wait again; its thread may have been off-CPU before the
  // read. b: where it was seen first; nullptr: nowhere. 0: it did something else.
  formats::SocketId read_then(const Point* b) const {
    if (!b || b < points_.data() || b >= points_.data() + points_.size()) return 0;
    for (const Point* last = points_.data() + points_.size() - 1; b->goroutine == goroutine_; ++b) {
      if (!b->off) return b->read ? b->socket : 0;
      Point from = *b;
      from.time = b->back;
      if (b == last || b[1].tid != b->tid || elsewhere(from, b[1].time) < b[1].time) return 0;
    }
    return 0;
  }

  // b: where it was seen next, if the wait ended with that.
  void park(Nanos from, Nanos to, const Point* b = nullptr) {
    if (goroutine_ != 0 && process_ && draft_.w.server() && only_its_) {
      add_connecting(*process_, from, to, draft_, [&](const Attempt& a) { return a.made_by(goroutine_); });
      // It went on with what it read there.
      if (const formats::SocketId socket = read_then(b); socket != 0)
        add_peer(k_, socket, from, to, Evidence::inferred, draft_);
    }
    // Without a goroutine, no carrier is known.
    if (goroutine_ != 0 && (!draft_.w.server() || only_its_)) draft_.add(from, to, Label::go_park, Evidence::inferred);
  }

  // No other goroutine was seen on the thread since then.
  bool alone(const Point& b, Nanos since, Nanos until) const {
    Point p = b;
    p.time = since;
    return elsewhere(p, until) >= until;
  }

  // The response was begun, and more could not be written.
  void responding(Nanos from, Nanos to, const OffCpuWait* woken) {
    Nanos at = from;
    if (const ExchangeNote* note = k_.windows.note(draft_.w.id)) {
      for (const auto& held : note->held_up) {
        const Nanos a = std::max(formats::nanoseconds(held.from), at), b = std::min(formats::nanoseconds(held.to), to);
        if (a >= b) continue;
        park(at, a);
        draft_.add(a, b, Label::send_h2fc);
        at = b;
      }
    }
    if (at > from) return dispatched(woken, at, to, to);
    parked(from, to, woken, nullptr, to);
  }

  const DraftContext& k_;
  const std::span<const Call> calls_;
  Draft& draft_;
  const ProcessLog* process_;
  const std::uint64_t goroutine_;
  const bool only_its_;  // the goroutine works for this request only
  std::vector<TimeSpan> stops_;
  std::vector<Point> points_;
};

}  // namespace

void add_by_goroutine(const DraftContext& k, CarryingGoroutine goroutine, std::span<const Call> calls, Draft& draft) {
  const ProcessLog* process = k.observed.process(draft.w.pid);
  const Log<Sighting>* seen = k.observed.goroutine(draft.w.pid, goroutine.number);
  if (process && process->deep && seen && draft.w.server() && draft.w.phases &&
      (goroutine.handler || !draft.w.streams)) {
    // From the read on its states are known; before that it had not been read.
    const std::vector<TimeSpan> left = add_goroutine_states(k, goroutine.number, *seen, calls, draft);
    Draft rest = draft;
    rest.conditions.clear();
    Goroutines(k, goroutine, calls, rest).run();
    draft.behind = rest.behind;
    for (const Condition& c : rest.conditions) {
      draft.add(c.from, std::min(c.to, draft.w.first), c.label, c.evidence, c.behind);
      for (const TimeSpan& s : left)
        draft.add(std::max(c.from, s.time), std::min(c.to, s.to), c.label, c.evidence, c.behind);
    }
    return;
  }
  Goroutines(k, goroutine, calls, draft).run();
}

}  // namespace tailcap::partition
