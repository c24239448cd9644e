#include "analyze/views/policy/sampling_replay.h"

#include <utility>

namespace tailcap::policy {

using model::policy::FormulaResult;
using model::policy::FormulaWindow;
using model::policy::kFormulaWindow;
using model::policy::kMostActions;
using model::policy::kRateFormulas;
using model::policy::PolicyAction;
using model::policy::PolicySampling;
using model::policy::RateFormula;
using model::policy::SamplingOutcome;
using model::policy::SamplingVariant;
using model::policy::WindowFigures;

namespace {

std::optional<double> known_of(const Limit& limit, const std::deque<ConditionObservation>& ended, double weight) {
  constexpr double kSeconds = std::chrono::duration<double>(kFormulaWindow).count();
  const LimitValue value = measure(limit, 0, ended, kSeconds, weight);
  return value.known ? std::optional(value.value) : std::nullopt;
}

}  // namespace

SamplingReplay::SamplingReplay(const PolicySampling& sampling, const model::RequestTable& table,
                               const std::vector<std::uint32_t>& rows, Time first, double weight)
    : sampling_(sampling),
      table_(table),
      first_(first),
      weight_(weight),
      numbers_(table, rows),
      sampler_(sampling),
      rates_(sampling, numbers_, table.texts, first) {
  changes_.push_back({first, std::vector<bool>(sampling.adapt.size())});
  if (!sampling.formula) return;
  ended_.resize(numbers_.size());
  PolicySampling other = sampling;
  if (!sampling.adapt.empty()) {
    add_variant(SamplingVariant::Kind::policy, sampling);
    other.adapt.clear();
  }
  other.formula = RateFormula::adaptive;
  add_variant(SamplingVariant::Kind::adaptive, other);
  other.formula = RateFormula::adaptive_clamped;
  add_variant(SamplingVariant::Kind::adaptive_clamped, other);
  if (sampling.adapt.empty()) return;
  other = sampling;
  other.formula.reset();
  add_variant(SamplingVariant::Kind::adapt, other);
}

void SamplingReplay::add_variant(SamplingVariant::Kind kind, const PolicySampling& sampling) {
  variants_.push_back({kind, RouteRates(sampling, numbers_, table_.texts, first_)});
}

void SamplingReplay::begin(std::uint32_t number) {
  const std::size_t route = numbers_.of(table_.rows[number]);
  const SamplePlace place = sampler_.place(table_, number);
  decisions_.push_back(decided(place, rates_.rate(route)));
  if (!sampling_.formula) return;
  places_.push_back(place);
  began_.emplace_back(window_, static_cast<std::uint32_t>(route));
  for (Variant& variant : variants_) variant.of.push_back(variant.rates.rate(route));
}

void SamplingReplay::end(const model::Request& row) {
  if (sampling_.formula) ended_[numbers_.of(row)].push_back(observe(row));
}

std::vector<WindowFigures> SamplingReplay::close_window(bool over) {
  static const Limit kRate{.of = Limit::Of::rate};
  static const Limit kErrors{.metric = {model::gate::Metric::Kind::errors, 0}};
  static const Limit kP95{.metric = {model::gate::Metric::Kind::p95, 0}};
  std::vector<WindowFigures> out(numbers_.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    WindowFigures& figures = out[i];
    figures.requests = ended_[i].size();
    if (figures.requests == 0) continue;
    if (over) figures.per_second = known_of(kRate, ended_[i], weight_);
    figures.errors = known_of(kErrors, ended_[i], weight_);
    figures.p95 = known_of(kP95, ended_[i], weight_);
    if (figures.requests > 0) figures_[{window_, static_cast<std::uint32_t>(i)}] = figures;
    ended_[i].clear();
  }
  return out;
}

void SamplingReplay::note_changes(Time now, const std::vector<bool>& firing) {
  model::policy::RateChange change{now, {}};
  for (const auto& adaptation : sampling_.adapt) change.applies.push_back(firing[adaptation.when]);
  if (changes_.back().applies != change.applies) changes_.push_back(std::move(change));
}

void SamplingReplay::look(Time now, const std::vector<bool>& firing, bool closes) {
  std::vector<WindowFigures> figures;
  if (closes) {
    figures = close_window(true);
    ++window_;
  }
  note_changes(now, firing);
  std::vector<PolicyAction> made;
  rates_.decide(now, firing, figures, &made);
  for (Variant& variant : variants_) variant.rates.decide(now, firing, figures, nullptr);
  actions_total_ += made.size();
  for (PolicyAction& action : made)
    if (actions_.size() < kMostActions) actions_.push_back(std::move(action));
}

std::vector<JudgedRequest> SamplingReplay::judged_by(const Variant& variant,
                                                     std::vector<JudgedRequest> requests) const {
  for (JudgedRequest& r : requests) r.decision = decided(places_[r.number], variant.of[r.number]);
  return requests;
}

void SamplingReplay::add_windows(const std::vector<JudgedRequest>& requests, SamplingOutcome& out) const {
  std::map<std::pair<std::uint32_t, std::uint32_t>, FormulaWindow> windows;
  const auto window_of = [&](std::uint32_t window, std::uint32_t route) -> FormulaWindow& {
    const auto [at, fresh] = windows.try_emplace({window, route});
    FormulaWindow& one = at->second;
    if (!fresh) return one;
    one.from = first_ + window * kFormulaWindow;
    one.route = numbers_.name(route);
    if (const auto figures = figures_.find({window, route}); figures != figures_.end()) one.figures = figures->second;
    const auto before = window == 0 ? figures_.end() : figures_.find({window - 1, route});
    for (std::size_t f = 0; f < kRateFormulas.size(); ++f) {
      std::optional<double> rate;
      if (before != figures_.end() && numbers_.known(route)) rate = formula_rate(kRateFormulas[f], before->second);
      one.by_formula[f].rate = rate.value_or(sampling_.rate);
      one.by_formula[f].known = rate.has_value();
    }
    return one;
  };
  for (const auto& [key, figures] : figures_) window_of(key.first, key.second);
  for (const JudgedRequest& r : requests) {
    FormulaWindow& one = window_of(began_[r.number].first, began_[r.number].second);
    ++one.begun;
    one.slow += r.slow;
    one.failed += r.failed;
    for (FormulaResult& result : one.by_formula) {
      const bool kept = decided(places_[r.number], result.rate).kept;
      result.kept += kept;
      result.slow_missed += r.slow && !kept;
      result.failed_missed += r.failed && !kept;
    }
  }
  for (auto& [key, window] : windows) out.windows.push_back(std::move(window));
}

SamplingOutcome SamplingReplay::finish(const std::vector<bool>& firing, std::size_t missed) {
  std::vector<JudgedRequest> requests = judged(decisions_, table_);
  SamplingOutcome out = estimate(requests, table_, missed);
  out.changes = std::move(changes_);
  out.registry = rates_.registry(firing);
  if (!sampling_.formula) return out;
  (void)close_window(false);
  add_windows(requests, out);
  for (const Variant& variant : variants_)
    out.variants.push_back({variant.kind, estimate_of_all(judged_by(variant, requests))});
  return out;
}

}  // namespace tailcap::policy
