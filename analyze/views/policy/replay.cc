#include "analyze/views/policy/replay.h"

#include <algorithm>
#include <numeric>

#include "analyze/model/columns/whole_row.h"
#include "analyze/tail/rows/standing.h"
#include "analyze/views/policy/breaker.h"
#include "analyze/views/policy/estimates.h"

namespace tailcap::policy {
namespace {

using model::policy::Firing;
using model::policy::Policy;
using model::policy::PolicyOutcome;

class Replay {
 public:
  Replay(const Policy& policy, const model::RequestTable& table, Time first)
      : policy_(policy), table_(table), first_(first) {
    for (const auto& condition : policy.conditions) {
      windows_.emplace_back(condition);
      holds_.emplace_back(condition.hold);
      at_.push_back(kNone);
    }
    firing_.resize(policy.conditions.size());
    if (policy.sampling) sampler_.emplace(*policy.sampling);
    for (const auto& breaker : policy.breakers) breakers_.emplace_back(breaker, policy.conditions);
    if (policy.sampling) note_rates(first);
  }

  void begin(std::uint32_t i) {
    if (sampler_) decisions_.push_back(sampler_->decide(table_, i, firing_));
    if (breakers_.empty()) return;
    const model::Request row = table_.rows[i];
    for (BreakerReplay& breaker : breakers_) breaker.begin(row, table_.texts, i);
  }

  void end(std::uint32_t i) {
    const model::Request row = model::whole_row(table_, i);
    const model::columns::ColumnFacts facts(table_, row);
    for (ConditionWindow& window : windows_) window.push(facts);
    for (BreakerReplay& breaker : breakers_) breaker.end(facts, i);
  }

  void look(Time now) {
    bool changed = false;
    for (std::size_t c = 0; c < windows_.size(); ++c) {
      const ConditionJudgement judgement = windows_[c].judge(now, first_);
      const bool fires = holds_[c].held(judgement.holds, now);
      if (fires == firing_[c]) continue;
      changed = true;
      firing_[c] = fires;
      if (!fires) {
        out_.firings[at_[c]].to = now;
        continue;
      }
      at_[c] = out_.firings.size();
      Firing& firing = out_.firings.emplace_back();
      firing.condition = c;
      firing.from = now;
      firing.requests = judgement.requests;
      for (const LimitValue& value : judgement.values)
        firing.values.push_back(value.known ? std::optional(value.value) : std::nullopt);
    }
    for (BreakerReplay& breaker : breakers_) breaker.look(now, first_);
    ++out_.looks;
    if (changed && sampler_) note_rates(now);
  }

  PolicyOutcome finish(Time last, std::size_t missed) {
    if (sampler_) {
      out_.sampling = estimate(decisions_, table_, missed);
      out_.sampling->changes = std::move(changes_);
    }
    for (BreakerReplay& breaker : breakers_) out_.breakers.push_back(breaker.finish(last));
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  void note_rates(Time now) {
    model::policy::RateChange change{now, {}};
    for (const auto& adaptation : policy_.sampling->adapt) change.applies.push_back(firing_[adaptation.when]);
    if (changes_.empty() || changes_.back().applies != change.applies) changes_.push_back(std::move(change));
  }

  const Policy& policy_;
  const model::RequestTable& table_;
  const Time first_;
  std::vector<ConditionWindow> windows_;
  std::vector<Hold> holds_;
  std::vector<std::size_t> at_;  // of the conditions: the last firing
  std::vector<bool> firing_;
  std::optional<Sampler> sampler_;
  std::vector<Decision> decisions_;
  std::vector<model::policy::RateChange> changes_;
  std::vector<BreakerReplay> breakers_;
  PolicyOutcome out_;
};

}  // namespace

bool needs_account(const Policy& policy) {
  return std::any_of(policy.conditions.begin(), policy.conditions.end(),
                     [](const auto& condition) { return ConditionWindow(condition).needs_account(); }) ||
         (policy.sampling && !policy.sampling->keep.empty() && query::Filter(policy.sampling->keep).needs_account());
}

PolicyOutcome replay(const Policy& policy, const model::RequestTable& table, Time first, Time last,
                     std::size_t missed) {
  if (formats::known(first) && (last - first) / policy.every > kMostLooks)
    throw ReplayError("the capture is so long that `every` would mean more than 1,000,000 looks; give a longer time");
  std::vector<std::uint32_t> begun, done;
  std::uint64_t left_out = 0, judged = 0;
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    const model::Request row = table.rows[i];
    if (!counts(row)) continue;
    if (!formats::known(row.start) || tail::standing_of(row) == tail::DurationStanding::in_flight) {
      ++left_out;
      continue;
    }
    const bool known = observe(row).judged;
    judged += known;
    left_out += !known;
    begun.push_back(i);
    done.push_back(i);
  }
  std::vector<Time> ends(table.rows.size());
  for (const std::uint32_t i : done) ends[i] = ended(table.rows[i]);
  std::stable_sort(done.begin(), done.end(), [&](std::uint32_t a, std::uint32_t b) { return ends[a] < ends[b]; });
  Replay state(policy, table, first);
  std::size_t b = 0, d = 0;
  if (formats::known(first))
    for (Time look = first + policy.every; look <= last; look += policy.every) {
      for (; b < begun.size() && table.rows.start(begun[b]) < look; ++b) state.begin(begun[b]);
      // What begins at the look itself has not ended before it.
      for (; d < done.size() && ends[done[d]] <= look && table.rows.start(done[d]) < look; ++d) state.end(done[d]);
      state.look(look);
    }
  for (; b < begun.size(); ++b) state.begin(begun[b]);
  PolicyOutcome out = state.finish(last, missed);
  out.policy = policy;
  out.first = first;
  out.last = last;
  out.requests = judged;
  out.left_out = left_out;
  return out;
}

}  // namespace tailcap::policy
