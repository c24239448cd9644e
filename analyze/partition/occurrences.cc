#include "analyze/partition/occurrences.h"

#include <algorithm>

namespace tailcap::partition {
namespace {

using formats::GoRunState;
using model::Label;
using model::NotCounted;
using model::Occurrence;

bool touched(const Stretches<TimeSpan>& spans, Nanos from, Nanos to) {
  bool out = false;
  spans.each(from, to, [&](const TimeSpan&) { out = true; });
  return out;
}

// The waits of one carrier after the other.
class Waits {
 public:
  Waits(const DraftContext& k, const std::vector<Condition>& pieces) : k_(k), pieces_(pieces) {}

  // The off-CPU intervals of this thread that begin in [from, to).
  void thread(std::uint32_t tid, Nanos from, Nanos to) {
    const ThreadLog* log = k_.observed.thread(tid);
    if (!log || log->known_since == 0 || log->known_since > from || touched(log->lost, from, to) ||
        touched(k_.observed.counted(), from, to))
      return unknown(NotCounted::lost);
    for (const OffCpuWait* w = log->waits.first_at(from); w != log->waits.end() && w->time < to; ++w) {
      wait(w->time);
      if (w->blocked == Blocked::preempted || w->blocked == Blocked::throttled) continue;
      ++wake_ups_;  // seen or not: what blocked has run again
    }
  }

  // Where the states of a goroutine are recorded: how often it stopped running, by itself or not, and the off-CPU
  // intervals of the threads that run it.
  void goroutine(const Log<Sighting>& seen, Nanos from, Nanos to) {
    const Sighting *before = nullptr, *now = nullptr;
    for (const Sighting& s : seen) {
      if (!s.state) continue;
      if (s.time >= to) break;
      if (now) state(before, *now, from, s.time);
      before = now;
      now = &s;
      if (!before && s.time > from) unknown(NotCounted::carrier);
    }
    if (!now) return unknown(NotCounted::carrier);
    state(before, *now, from, to);
  }

  void unknown(NotCounted why) {
    if (why_ == NotCounted::counted) why_ = why;
  }
  std::vector<std::pair<Label, std::int32_t>> by_label() const {
    return why_ == NotCounted::counted ? by_label_ : decltype(by_label_){};
  }
  Occurrence waits() const { return why_ == NotCounted::counted ? Occurrence{waits_, why_} : Occurrence{-1, why_}; }
  Occurrence wake_ups() const {
    return why_ == NotCounted::counted ? Occurrence{wake_ups_, why_} : Occurrence{-1, why_};
  }

 private:
  // One begins.
  void wait(Nanos at) {
    ++waits_;
    const Label label = label_at(at);
    const auto known = std::ranges::find(by_label_, label, &std::pair<Label, std::int32_t>::first);
    if (known != by_label_.end())
      ++known->second;
    else
      by_label_.emplace_back(label, 1);
  }

  // Under what a wait began: the piece that begins with it, or that it is in.
  Label label_at(Nanos at) const {
    const auto piece = std::ranges::partition_point(pieces_, [&](const Condition& p) { return p.to <= at; });
    return piece == pieces_.end() ? Label::unexplained_nocarrier : piece->label;
  }

  // The goroutine was in state `now` until `to`; only what lies in the request's time, after `from`, counts.
  void state(const Sighting* before, const Sighting& now, Nanos from, Nanos to) {
    if (to <= from) return;
    const bool begins = now.time >= from;
    switch (now.run) {
      case GoRunState::running:
        return thread(now.tid, std::max(now.time, from), to);
      case GoRunState::parked:
        if (begins) wait(now.time);
        return;
      case GoRunState::ready:
        if (!begins) return;
        if (before && before->run == GoRunState::parked)
          ++wake_ups_;
        else
          wait(now.time);
        return;
      default:
        return unknown(NotCounted::carrier);
    }
  }

  const DraftContext& k_;
  const std::vector<Condition>& pieces_;
  std::vector<std::pair<Label, std::int32_t>> by_label_;
  std::int32_t waits_ = 0, wake_ups_ = 0;
  NotCounted why_ = NotCounted::counted;
};

void count_waits(const DraftContext& k, const Draft& draft, Waits& waits) {
  const Window& w = draft.w;
  if (!k.observed.waits_recorded() || k.observed.waits_left_out(w.from, w.to))
    return waits.unknown(NotCounted::not_asked);
  if (touched(k.observed.blind(), w.from, w.to)) return waits.unknown(NotCounted::lost);
  const ProcessLog* process = k.observed.process(w.pid);
  if (process && process->go) {
    const Log<Sighting>* seen = k.observed.goroutine(w.pid, draft.goroutine);
    if (!process->deep) return waits.unknown(NotCounted::states);
    if (!seen || !w.server()) return waits.unknown(NotCounted::carrier);
    return waits.goroutine(*seen, w.first, w.to);
  }
  if (draft.carried.empty()) return waits.unknown(NotCounted::carrier);
  // The request before it on the connection had the same thread.
  for (std::size_t i = 0; i < w.stretches; ++i)
    if (w.stretch[i].phase == model::Phase::pipelined) return waits.unknown(NotCounted::loop);
  Nanos until = draft.carried.front().from;
  for (const Draft::Carried& c : draft.carried) {
    if (c.loop) return waits.unknown(NotCounted::loop);
    // When it was handed over is not known.
    if (c.from != until) return waits.unknown(NotCounted::carrier);
    waits.thread(c.tid, c.from, c.to);
    until = c.to;
  }
}

Occurrence collections(const DraftContext& k, const Window& w) {
  const ProcessLog* process = k.observed.process(w.pid);
  if (!process || process->collector_since == 0) return {-1, NotCounted::not_of_go};
  if (process->collector_since > w.from || touched(k.observed.blind(), w.from, w.to)) return {-1, NotCounted::lost};
  const auto& log = process->collections;
  return {static_cast<std::int32_t>(log.first_at(w.to) - log.first_at(w.from)), NotCounted::counted};
}

}  // namespace

model::Occurrences occurrences_of(const DraftContext& k, const Drafted& drafted) {
  Waits waits(k, drafted.pieces);
  count_waits(k, drafted.draft, waits);
  return {waits.waits(), waits.wake_ups(), collections(k, drafted.draft.w), waits.by_label()};
}

}  // namespace tailcap::partition
