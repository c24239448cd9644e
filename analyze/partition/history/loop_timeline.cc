#include "analyze/partition/history/loop_timeline.h"

#include <algorithm>
#include <utility>

namespace tailcap::partition {
namespace {

using model::ExchangeId;

constexpr std::size_t kFewest = 128;  // turns that are forgotten at a time
constexpr std::uint64_t kNear = 256;

bool polls(const OffCpuWait& w) { return w.blocked == Blocked::poll || w.blocked == Blocked::poll_one; }

bool milestone(const Window& w, Nanos t) { return t == w.first || t == w.second || t == w.third || t == w.to; }

// The act's bytes woke the loop, which then went straight to them.
bool woke(const Act& act, const OffCpuWait& idle, const Observed& observed) {
  const EndLog* end = observed.end(act.connection);
  if (!end || !idle.woken()) return false;
  const PositionMark* arrived = end->arrived.last_until(idle.runnable);
  return arrived && arrived->time > idle.time;
}

}  // namespace

void LoopTimeline::count(const LoopTurn& turn, Nanos from, Nanos to, const Observed& observed, Sums& sums) {
  const auto add = [&](Sort sort, Nanos a, Nanos b) {
    a = std::max(a, from);
    b = std::min(b, to);
    if (a >= b) return;
    sums.time[sort] += b - a;
    if (b - a >= kWorthALook) sums.crowded[sort] += observed.crowd().within(a, b);
  };
  if (turn.special) return;
  if (turn.idle && !turn.woken) {
    add(opaque, turn.from, turn.to);
  } else if (turn.idle) {
    add(idle, turn.from, turn.runnable);
    add(queued, turn.runnable, turn.to);
  } else {
    add(turn.owner.connection != 0 && !turn.doubtful ? owned : unsure, turn.from, turn.to);
  }
}

void LoopTimeline::add(LoopTurn turn, const Observed& observed) {
  if (turn.from >= turn.to) return;
  const std::uint64_t number = turns_.end();
  turn.special = turn.special || stopped_;
  stopped_ = false;
  if (stretches_.end() <= stretch_of(number)) stretches_.push_back({});
  Stretch& stretch = stretches_[stretch_of(number)];
  stretch.end = turn.to;
  if (turn.idle) last_idle_number_ = number;
  turn.last_idle = last_idle_number_;
  if (turn.owner.connection != 0) {
    turn.last_own = last_of_.exchange(turn.owner, number);
    if (turn.from > kStart && (!turns_.has(stretch.longest) || longer(turn, turns_[stretch.longest].turn)))
      stretch.longest = number;
  }
  const auto crowded = static_cast<std::uint32_t>(first_crowded_ - 1 + crowded_.size());
  turns_.push_back({turn, sums_.time, crowded, special_});
  ends_.push_back(turn.to);
  special_ += turn.special;
  if (turn.from <= kStart) return;
  const BySort before = sums_.crowded;
  count(turn, turn.from, turn.to, observed, sums_);
  if (sums_.crowded != before) crowded_.push_back(sums_.crowded);
}

void LoopTimeline::extend(const ThreadLog& log, const Observed& observed, Nanos until) {
  const Act* act = log.acts.first_at(acts_from_);
  const OffCpuWait* wait = log.waits.first_after(waits_after_);
  const auto more = [&](const auto* at, const auto& of) { return at != of.end() && at->time < until; };
  const auto since_before = [&](Nanos to) {
    LoopTurn t;
    t.from = at_;
    t.to = to;
    if (acted_ && !before_.last) {
      t.owner = before_.owner;
      t.of_before = true;
    }
    if (acted_ && before_.shared) t.began_by = before_.connection;
    if (acted_) t.after = before_.owner;
    return t;
  };
  const auto put = [&](const LoopTurn& turn) {
    add(turn, observed);
    at_ = std::max(at_, turn.to);
  };
  while (more(act, log.acts) || more(wait, log.waits)) {
    if (more(act, log.acts) && (!more(wait, log.waits) || act->time <= wait->time)) {
      LoopTurn t = since_before(act->time);
      if (act->shared) t.ended_by = act->connection;
      if (act->out) {
        t.doubtful = acted_ && before_.owner != act->owner && !before_.last;
        t.owner = act->owner;
        t.of_before = false;
        t.of_after = true;
      } else if (!t.of_before && !acted_ && idled_ && woke(*act, last_idle_, observed)) {
        t.owner = act->owner;
        t.of_after = true;
      }
      put(t);
      before_ = *act++;
      acted_ = true;
      continue;
    }
    waits_after_ = wait->time;
    if (polls(*wait)) {
      put(since_before(wait->time));
      LoopTurn t;
      t.from = std::max(at_, wait->time);
      t.to = wait->back;
      t.idle = true;
      t.woken = wait->woken();
      t.runnable = std::clamp(wait->runnable, t.from, std::max(t.from, t.to));
      put(t);
      last_idle_ = *wait;
      idled_ = true;
      acted_ = false;
    } else if (wait->blocked == Blocked::stopped) {
      stopped_ = true;
    }
    ++wait;
  }
  acts_from_ = std::max(acts_from_, until);
  open_ = since_before(INT64_MAX);
  open_.special = stopped_;
  open_.last_idle = last_idle_number_;
}

void LoopTimeline::forget_before(Nanos t) {
  const std::uint64_t kept = ends_.search(ends_.first(), ends_.end(), [&](Nanos end) { return end >= t; });
  const std::uint64_t n = kept - turns_.first();
  // The one idle turn before what is kept is kept, too, so that every number in last_idle of the others is known.
  if (n < kFewest || n < turns_.size() / 2) return;
  turns_.forget_before(kept);
  ends_.forget_before(kept);
  stretches_.forget_before(std::min(stretch_of(kept), stretches_.end()));
  // The sum before the first turn that is kept is needed, too.
  const std::uint32_t needed = turns_.empty() ? first_crowded_ : std::max(turns_[kept].crowded, first_crowded_);
  crowded_.erase(crowded_.begin(), crowded_.begin() + (needed - first_crowded_));
  first_crowded_ = needed;
  last_of_.forget_before(kept);
}

std::uint64_t LoopTimeline::first_after(Nanos t, std::uint64_t first, std::uint64_t end) const {
  if (first >= end) return end;
  const std::uint64_t last = stretch_of(end - 1);
  std::uint64_t stretch = stretch_of(first);
  if (stretches_[stretch].end <= t)
    stretch = stretches_.search(stretch + 1, last + 1, [t](const Stretch& s) { return s.end > t; });
  if (stretch > last) return end;
  const std::uint64_t begin = std::max(first, (stretch - 1) * kStretch);
  // Those of a stretch lie side by side. No branch depends on them: it would be mispredicted.
  const Nanos* const ends = &ends_[begin];
  std::uint64_t at = 0;
  for (std::uint64_t n = std::min(end, stretch * kStretch) - begin; n > 1; n -= n / 2)
    at += static_cast<std::uint64_t>(ends[at + n / 2 - 1] <= t) * (n / 2);
  return begin + at + (ends[at] <= t);
}

LoopTimeline::Range LoopTimeline::range(Nanos from, Nanos to, Range in) const {
  const std::uint64_t end = std::min(in.last + 1, turns_.end());
  Range out;
  out.first = in.first < end ? first_after(from, in.first, end) : end;
  // Most ranges are short.
  const std::uint64_t near = std::min(out.first + kNear, end);
  std::uint64_t past = first_after(to, out.first, near);
  if (past == near) past = first_after(to, near, end);
  if (past != end && turns_[past].turn.from < to) ++past;
  out.last = past - 1;
  if (past == turns_.end() && open_.from < to && from < to) ++out.last;
  return out;
}

bool LoopTimeline::any_special(Range r) const {
  if (r.size() == 0) return false;
  const std::uint64_t end = turns_.end();  // number of the open turn
  const auto until = [&](std::uint64_t number) { return number < end ? turns_[number].special : special_; };
  return until(std::min(r.last + 1, end)) > until(r.first) || (r.last == end && open_.special);
}

LoopTimeline::Sums LoopTimeline::within(Nanos from, Nanos to, Range in, const Observed& observed) const {
  Sums out;
  const Range r = range(from, to, in);
  if (r.size() == 0) return out;
  if (r.size() <= 2) {
    for (std::uint64_t i = r.first; i <= r.last; ++i) count(turn(i), from, to, observed, out);
    return out;
  }
  count(turn(r.first), from, to, observed, out);
  count(turn(r.last), from, to, observed, out);
  const Entry& begin = turns_[r.first + 1];
  const Entry* const end = turns_.has(r.last) ? &turns_[r.last] : nullptr;
  const BySort& time = end ? end->time : sums_.time;
  for (std::size_t i = 0; i < kSorts; ++i) out.time[i] += time[i] - begin.time[i];
  const auto all = static_cast<std::uint32_t>(first_crowded_ - 1 + crowded_.size());
  const std::uint32_t crowded = end ? end->crowded : all;
  if (crowded == begin.crowded) return out;
  const BySort from_sum = crowded_until(begin.crowded), to_sum = crowded_until(crowded);
  for (std::size_t i = 0; i < kSorts; ++i) out.crowded[i] += to_sum[i] - from_sum[i];
  return out;
}

LoopTimeline::Own LoopTimeline::own(const Window& w, Range r) const {
  boost::container::small_vector<std::uint64_t, 16> numbers;
  Own out;
  if (r.size() == 0) return out;
  const std::uint64_t open = turns_.end();
  for (std::uint64_t i = last_of_.of(w.id); i >= r.first && i != 0; i = turn(i).last_own)
    if (i <= r.last) numbers.push_back(i);
  if (r.last == open && open_.owner == w.id) numbers.push_back(open);
  const auto mine = [&](const LoopTurn& t) {
    return (t.of_after && t.ended_by == w.id.connection && t.ended_by != 0 && milestone(w, t.to)) ||
           (t.of_before && t.began_by == w.id.connection && t.began_by != 0 && milestone(w, t.from));
  };
  if (w.streams)
    for (const Nanos at : {w.first, w.second, w.third, w.to}) {
      if (at < w.from || at > w.to) continue;
      const Range around = range(at - 1, at + 1, r);  // the turns that end and begin there
      for (std::uint64_t i = around.first; i <= around.last; ++i)
        if (mine(turn(i))) numbers.push_back(i);
    }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  out.reserve(numbers.size());
  for (const std::uint64_t i : numbers) {
    LoopTurn t = turn(i);
    const bool continued =
        t.after == w.id || (t.began_by != 0 && t.began_by == w.id.connection && milestone(w, t.from));
    t.doubtful = t.doubtful && !continued;
    t.from = std::max(t.from, w.from);
    t.to = std::min(t.to, w.to);
    if (t.from < t.to) out.push_back(t);
  }
  return out;
}

const LoopTurn* LoopTimeline::longest(Range r) const {
  const LoopTurn* best = nullptr;
  const auto offer = [&](std::uint64_t number) {
    const LoopTurn& t = turns_[number].turn;
    if (t.owner.connection != 0 && !t.idle && t.from > kStart && (!best || longer(t, *best))) best = &t;
  };
  const std::uint64_t end = std::min(r.last + 1, turns_.end());
  for (std::uint64_t i = r.first; i < end;) {
    if (i % kStretch == 0 && i + kStretch <= end) {
      if (const std::uint64_t longest = stretches_[stretch_of(i)].longest; longest != 0) offer(longest);
      i += kStretch;
    } else {
      offer(i++);
    }
  }
  return best;
}

void Loops::settle(Nanos until, ground::Workers& workers) {
  until_ = std::max(until_, until);
  std::vector<std::pair<Loop*, const ThreadLog*>> behind;
  for (const std::uint32_t tid : observed_.loops())
    if (const ThreadLog* log = observed_.thread(tid))
      if (Loop& loop = loops_[tid]; std::exchange(loop.until, until_) < until_) behind.emplace_back(&loop, log);
  workers.run(behind.size(), [&](std::size_t, std::size_t i) {
    behind[i].first->timeline.extend(*behind[i].second, observed_, until_);
  });
}

void Loops::forget_before(Nanos t) {
  for (auto& [tid, loop] : loops_) loop.timeline.forget_before(t);
}

const LoopTimeline* Loops::of(std::uint32_t tid) {
  const ThreadLog* log = observed_.thread(tid);
  if (!log) return nullptr;
  const std::lock_guard hold(mutex_);
  Loop& loop = loops_[tid];
  if (loop.until < until_) {
    loop.timeline.extend(*log, observed_, until_);
    loop.until = until_;
  }
  return &loop.timeline;
}

}  // namespace tailcap::partition
