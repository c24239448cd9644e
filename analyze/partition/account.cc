#include "analyze/partition/account.h"

#include <algorithm>

#include "analyze/model/statistics/most_by_label.h"

namespace tailcap::partition {
namespace {

using model::Evidence;
using model::Label;

constexpr std::size_t kMaxBlockers = 4;  // of a label in one request

}  // namespace

void Account::take(const Drafted& drafted, const Observed& observed) {
  cut(drafted, observed);
  blame(drafted);
}

void Account::add(model::Phase phase, Label label, Evidence evidence, Nanos time, Nanos crowded) {
  if (time == 0) return;
  Sum& sum = sums_[{phase, label, evidence}];
  sum.time += time;
  sum.crowded += crowded;
}

// A stretch without a condition, in which an event loop did other things.
void Account::summed(model::Phase phase, Nanos from, Nanos to, const Draft& draft, const Observed& observed) {
  const Draft::Background& b = draft.background;
  const auto take = [&](Nanos a, Nanos z, bool ready) {
    const LoopTimeline::Sums s = b.loop->within(a, z, b.turns, observed);
    const auto put = [&](LoopTimeline::Sort sort, Label label, Evidence evidence) {
      add(phase, label, evidence, s.time[sort], s.crowded[sort]);
    };
    put(LoopTimeline::idle, Label::q_notice, Evidence::measured);
    put(LoopTimeline::queued, Label::sched_runq, Evidence::measured);
    put(LoopTimeline::opaque, Label::unexplained_opaque, Evidence::measured);
    put(LoopTimeline::owned, Label::q_loop, ready ? Evidence::measured : Evidence::inferred);
    put(LoopTimeline::unsure, Label::q_loop, Evidence::inferred);
    add(phase, Label::unexplained_nocarrier, Evidence::measured, z - a - s.all(), 0);
  };
  auto next =
      std::upper_bound(b.ready.begin(), b.ready.end(), from, [](Nanos t, const TimeSpan& s) { return t < s.to; });
  for (Nanos at = from; at < to;) {
    const bool ready = next != b.ready.end() && next->time <= at;
    Nanos until = to;
    if (next != b.ready.end()) until = std::min(until, ready ? next->to : next->time);
    take(at, until, ready);
    if (next != b.ready.end() && until == next->to) ++next;
    at = until;
  }
}

// Pieces and phases are both in order of time.
void Account::cut(const Drafted& drafted, const Observed& observed) {
  const Draft& draft = drafted.draft;
  sums_.clear();
  std::size_t s = 0;
  for (const Condition& p : drafted.pieces) {
    const bool background = draft.background.loop && p.label == Label::unexplained_nocarrier;
    for (Nanos at = p.from; at < p.to;) {
      while (s + 1 < draft.w.stretches && draft.w.stretch[s].to <= at) ++s;
      const model::Phase phase = draft.w.stretch[s].phase;
      const Nanos until = s + 1 < draft.w.stretches ? std::min(p.to, draft.w.stretch[s].to) : p.to;
      if (background)
        summed(phase, at, until, draft, observed);
      else
        add(phase, p.label, p.evidence, until - at,
            until - at >= LoopTimeline::kWorthALook ? observed.crowd().within(at, until) : 0);
      at = until;
    }
  }
  parts_.clear();
  for (const auto& [what, sum] : sums_)
    parts_.push_back({std::get<0>(what), std::get<1>(what), std::get<2>(what),
                      static_cast<std::uint8_t>(255 * sum.crowded / sum.time), sum.time});
}

void Account::blame(const Drafted& drafted) {
  behind_.clear();
  culprits_.clear();
  for (const Condition& p : drafted.pieces)
    if (p.behind != 0) behind_[{p.label, p.behind}] += p.to - p.from;
  for (const auto& [what, time] : behind_) {
    model::Culprit c = drafted.draft.behind[what.second - 1];
    if (c.what == 0 && c.request.connection == 0 && c.tid == 0) continue;
    c.label = what.first;
    c.time = time;
    culprits_.push_back(c);
  }
  if (drafted.draft.background.loop) blame_loop(drafted);
  model::keep_most_by_label(culprits_, kMaxBlockers);
}

// Names the longest of the many turns of others.
void Account::blame_loop(const Drafted& drafted) {
  const Draft::Background& b = drafted.draft.background;
  const LoopTurn* most = nullptr;
  Nanos longest = 0;
  for (const Condition& p : drafted.pieces) {
    if (p.label != Label::unexplained_nocarrier) continue;
    const LoopTurn* t = b.loop->longest(b.loop->range(p.from, p.to, b.turns));
    const Nanos time = t ? std::min(t->to, p.to) - std::max(t->from, p.from) : 0;
    if (time <= longest || t->owner == drafted.draft.w.id) continue;
    most = t;
    longest = time;
  }
  if (!most) return;
  model::Culprit c;
  c.label = Label::q_loop;
  c.time = longest;
  c.request = most->owner;
  c.tid = b.tid;
  culprits_.push_back(c);
}

}  // namespace tailcap::partition
