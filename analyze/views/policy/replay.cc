#include "analyze/views/policy/replay.h"

#include <algorithm>
#include <numeric>

#include "analyze/model/columns/whole_row.h"
#include "analyze/tail/rows/standing.h"
#include "analyze/views/policy/actions.h"
#include "analyze/views/policy/breaker.h"
#include "analyze/views/policy/sampling_replay.h"

namespace tailcap::policy {
namespace {

using model::policy::Firing;
using model::policy::Policy;
using model::policy::PolicyOutcome;

class Replay {
 public:
  // rows: of the requests that count.
  Replay(const Policy& policy, const model::RequestTable& table, const std::vector<std::uint32_t>& rows, Time first,
         double weight)
      : policy_(policy), table_(table), first_(first), weight_(weight) {
    for (const auto& condition : policy.conditions) {
      windows_.emplace_back(condition);
      holds_.emplace_back(condition.hold);
      at_.push_back(kNone);
    }
    firing_.resize(policy.conditions.size());
    if (policy.sampling) sampling_.emplace(*policy.sampling, table, rows, first, weight);
    for (const auto& breaker : policy.breakers) breakers_.emplace_back(breaker, policy.conditions);
  }

  void begin(std::uint32_t i) {
    if (sampling_) sampling_->begin(i);
    if (breakers_.empty()) return;
    const model::Request row = table_.rows[i];
    for (BreakerReplay& breaker : breakers_) breaker.begin(row, table_.texts, i);
  }

  void end(std::uint32_t i) {
    const model::Request row = model::whole_row(table_, i);
    const model::columns::ColumnFacts facts(table_, row);
    for (ConditionWindow& window : windows_) window.push(facts);
    if (sampling_) sampling_->end(row);
    for (BreakerReplay& breaker : breakers_) breaker.end(facts, i);
  }

  void expect_lines() {
    for (ConditionWindow& window : windows_) window.expect_lines();
  }
  void line(const ErrorLine& line) {
    for (ConditionWindow& window : windows_) {
      const auto& condition = window.condition();
      if (!asks_for_lines(condition)) continue;
      if (!condition.route.empty() || !condition.where.empty()) {
        if (!line.row) continue;
        const model::Request row = model::whole_row(table_, *line.row);
        if (!window.matches(model::columns::ColumnFacts(table_, row))) continue;
      }
      window.push_line(line.at);
    }
  }

  // looks: at the conditions. closes: a window of the formula ends.
  void step(Time now, bool looks, bool closes) {
    const bool changed = looks && look(now);
    if (sampling_ && (changed || closes)) sampling_->look(now, firing_, closes);
    if (!looks) return;
    for (BreakerReplay& breaker : breakers_) breaker.look(now, first_, weight_);
    ++out_.looks;
  }

  PolicyOutcome finish(Time last, std::size_t missed) {
    for (BreakerReplay& breaker : breakers_) out_.breakers.push_back(breaker.finish(last));
    std::vector<model::policy::PolicyAction> rates;
    if (sampling_) {
      rates = sampling_->actions();
      out_.actions_total = sampling_->actions_total();
      out_.sampling = sampling_->finish(firing_, missed);
    }
    out_.actions = actions_of(out_, rates);
    for (const Firing& firing : out_.firings) out_.actions_total += formats::known(firing.to) ? 2 : 1;
    for (const auto& breaker : out_.breakers) out_.actions_total += breaker.changes.size();
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  static std::vector<std::optional<double>> values_of(const ConditionJudgement& judgement) {
    std::vector<std::optional<double>> out;
    for (const LimitValue& value : judgement.values)
      out.push_back(value.known ? std::optional(value.value) : std::nullopt);
    return out;
  }

  // True: a condition fired or resolved.
  bool look(Time now) {
    bool changed = false;
    for (std::size_t c = 0; c < windows_.size(); ++c) {
      const ConditionJudgement judgement = windows_[c].judge(now, first_, weight_);
      const bool fires = holds_[c].held(judgement.holds, now);
      if (fires == firing_[c]) continue;
      changed = true;
      firing_[c] = fires;
      if (!fires) {
        out_.firings[at_[c]].to = now;
        out_.firings[at_[c]].values_after = values_of(judgement);
        continue;
      }
      at_[c] = out_.firings.size();
      Firing& firing = out_.firings.emplace_back();
      firing.condition = c;
      firing.from = now;
      firing.requests = judgement.requests;
      firing.values = values_of(judgement);
    }
    return changed;
  }

  const Policy& policy_;
  const model::RequestTable& table_;
  const Time first_;
  const double weight_;
  std::vector<ConditionWindow> windows_;
  std::vector<Hold> holds_;
  std::vector<std::size_t> at_;  // of the conditions: the last firing
  std::vector<bool> firing_;
  std::optional<SamplingReplay> sampling_;
  std::vector<BreakerReplay> breakers_;
  PolicyOutcome out_;
};

}  // namespace

bool needs_account(const Policy& policy) {
  return std::any_of(policy.conditions.begin(), policy.conditions.end(),
                     [](const auto& condition) { return ConditionWindow(condition).needs_account(); }) ||
         (policy.sampling && !policy.sampling->keep.empty() && query::Filter(policy.sampling->keep).needs_account());
}

PolicyOutcome replay(const Policy& policy, const model::RequestTable& table, Time first, Time last, std::size_t missed,
                     const ErrorLines* lines, double weight) {
  const bool formula = policy.sampling && policy.sampling->formula;
  if (formats::known(first) && (last - first) / policy.every > kMostLooks)
    throw ReplayError(
        "`every` is too short for this capture, which would need more than 1,000,000 evaluations; give a longer time");
  if (formula && formats::known(first) && (last - first) / model::policy::kFormulaWindow > kMostLooks)
    throw ReplayError("the capture is too long for a formula: it has more than 1,000,000 windows of 10 s");
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
  Replay state(policy, table, begun, first, weight);
  std::size_t b = 0, d = 0, l = 0;
  if (lines) state.expect_lines();
  // A formula has windows of its own, which end between looks.
  Time look = formats::known(first) ? first + policy.every : Time::max();
  Time close = formats::known(first) && formula ? first + model::policy::kFormulaWindow : Time::max();
  for (Time now = std::min(look, close); now <= last; now = std::min(look, close)) {
    for (; b < begun.size() && table.rows.start(begun[b]) < now; ++b) state.begin(begun[b]);
    // What begins at the look itself has not ended before it.
    for (; d < done.size() && ends[done[d]] <= now && table.rows.start(done[d]) < now; ++d) state.end(done[d]);
    for (; lines && l < lines->lines.size() && lines->lines[l].at <= now; ++l)
      if (lines->lines[l].at >= first) state.line(lines->lines[l]);
    state.step(now, now == look, now == close);
    if (now == look) look += policy.every;
    if (now == close) close += model::policy::kFormulaWindow;
  }
  for (; b < begun.size(); ++b) state.begin(begun[b]);
  if (formula)  // figures of the window that is not over
    for (; d < done.size(); ++d) state.end(done[d]);
  PolicyOutcome out = state.finish(last, missed);
  out.policy = policy;
  out.first = first;
  out.last = last;
  out.weight = weight;
  out.requests = judged;
  out.left_out = left_out;
  return out;
}

}  // namespace tailcap::policy
