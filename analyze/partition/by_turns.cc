#include "analyze/partition/by_turns.h"

#include <algorithm>
#include <utility>

#include "analyze/partition/draft/running.h"
#include "analyze/partition/loop_gaps.h"

namespace tailcap::partition {
namespace {

using model::Evidence;
using model::Label;

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
        gaps_(k, log, timeline, tid, range_, own_, draft),
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
      gaps_.add(since, t.from, calls);
      since = t.to;
    }
    gaps_.add(since, draft_.w.to, calls);
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
    return gaps_.worked().empty() && range_.size() > k_.detailed_turns && !timeline_.any_special(range_) &&
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
    for (const TimeSpan& s : gaps_.worked()) {
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

  const DraftContext& k_;
  const ThreadLog& log_;
  const LoopTimeline& timeline_;
  const std::uint32_t tid_;
  Draft& draft_;
  const LoopTimeline::Range range_;
  const LoopTimeline::Own own_;
  LoopGaps gaps_;
  const Observed::Queued queued_;
  const bool new_;
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
