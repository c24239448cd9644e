#include "analyze/report/json/shape.h"
#include "analyze/report/policy/policy_report.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace of_policy {
namespace {

using model::policy::BreakerChange;
using model::policy::BreakerOutcome;
using model::policy::BreakerState;
using model::policy::Firing;
using model::policy::FormulaResult;
using model::policy::FormulaWindow;
using model::policy::Limit;
using model::policy::Missed;
using model::policy::PolicyAction;
using model::policy::PolicyCondition;
using model::policy::PolicyEstimate;
using model::policy::PolicyFigures;
using model::policy::PolicyOutcome;
using model::policy::RateChange;
using model::policy::RateRegistry;
using model::policy::RegistryRate;
using model::policy::SamplingOutcome;
using model::policy::SamplingVariant;
using model::policy::WindowFigures;

struct PolicyContext {
  const PolicyOutcome& outcome;
  const model::WallClock& clock;

  // From the first event of the capture.
  std::optional<formats::Duration> offset(formats::Time t) const { return when(formats::known(t), t - outcome.first); }
  OrNull<std::string_view> formula() const {
    const auto& sampling = outcome.policy.sampling;
    return {sampling && sampling->formula ? name_of(*sampling->formula) : std::string_view()};
  }
  std::string_view condition(std::size_t c) const {
    return c == SIZE_MAX ? std::string_view() : std::string_view(outcome.policy.conditions[c].name);
  }
  std::string_view breaker(std::size_t b) const {
    return b == SIZE_MAX ? std::string_view() : std::string_view(outcome.policy.breakers[b].name);
  }
  std::optional<double> per_second(double count) const {
    const double seconds = static_cast<double>((outcome.last - outcome.first).count()) / 1e9;
    return when(seconds > 0, count / seconds);
  }
};
template <class T>
using PolicyShape = Shape<T, PolicyContext>;

struct FiredLimit {
  const Limit& limit;
  std::optional<double> value;
};
struct NamedCondition {
  std::string_view name;
  std::vector<Firing> firings;
};
struct NamedBreaker {
  std::string_view name;
  const BreakerOutcome& outcome;
};

std::vector<FiredLimit> limits_with(std::size_t condition, const std::vector<std::optional<double>>& values,
                                    const PolicyContext& c) {
  std::vector<FiredLimit> out;
  const auto& limits = c.outcome.policy.conditions[condition].limits;
  for (std::size_t i = 0; i < limits.size(); ++i) out.push_back({limits[i], values[i]});
  return out;
}
std::vector<FiredLimit> limits_of(const Firing& firing, const PolicyContext& c) {
  return limits_with(firing.condition, firing.values, c);
}
std::vector<FiredLimit> limits_at(const PolicyAction& a, const PolicyContext& c) {
  if (a.firing == SIZE_MAX) return {};
  const Firing& firing = c.outcome.firings[a.firing];
  return limits_with(a.condition, a.what == PolicyAction::What::fired ? firing.values : firing.values_after, c);
}
std::vector<NamedCondition> conditions_of(const PolicyOutcome& o) {
  std::vector<NamedCondition> out;
  for (const PolicyCondition& condition : o.policy.conditions) out.push_back({condition.name, {}});
  for (const Firing& firing : o.firings) out[firing.condition].firings.push_back(firing);
  return out;
}
std::vector<NamedBreaker> breakers_of(const PolicyOutcome& o) {
  std::vector<NamedBreaker> out;
  for (std::size_t b = 0; b < o.breakers.size(); ++b) out.push_back({o.policy.breakers[b].name, o.breakers[b]});
  return out;
}
std::vector<std::size_t> adaptations_of(const RateChange& change) {
  std::vector<std::size_t> out;
  for (std::size_t a = 0; a < change.applies.size(); ++a)
    if (change.applies[a]) out.push_back(a);
  return out;
}

const PolicyShape<FiredLimit> kLimit{
    "limit",
    {
        {"name", [](auto& l) { return name_of(l.limit); }, "like p95, rate, lock.futex"},
        {"limit", [](auto& l) { return l.limit.value; }, "ns, a share, a number"},
        {"least", [](auto& l) { return l.limit.least; }, "false: at most"},
        {"of_time", [](auto& l) { return l.limit.of_time; }, "a label's share of the time"},
        {"value", &FiredLimit::value, "then"},
    }};

const PolicyShape<Firing> kFiring{
    "firing",
    {
        {"fired_ns", [](auto& f, auto& c) { return c.offset(f.from); }, "since the first event", {.known = true}},
        {"resolved_ns", [](auto& f, auto& c) { return c.offset(f.to); }, "since the first event; null: not at the end"},
        {"requests", &Firing::requests, "of the route, in the window, when it fired"},
        {"limits", kLimit, limits_of, "with their values when it fired"},
    }};

const PolicyShape<NamedCondition> kCondition{
    "condition", {{"name", &NamedCondition::name}, {"firings", kFiring, &NamedCondition::firings, "by time"}}};

const PolicyShape<PolicyFigures> kFigures{
    "figures",
    {
        {"count", &PolicyFigures::count},
        {"rate", [](auto& f, auto& c) { return c.per_second(f.count); }, "per second of the capture"},
        {"errors", &PolicyFigures::errors, "a share"},
        {"p50_ns", [](auto& f) { return f.quantiles[0]; }, "null: too few"},
        {"p95_ns", [](auto& f) { return f.quantiles[1]; }},
        {"p99_ns", [](auto& f) { return f.quantiles[2]; }},
    }};

const PolicyShape<PolicyEstimate> kEstimate{
    "kept",
    {
        {"requests", &PolicyEstimate::requests},
        {"kept", &PolicyEstimate::kept},
        {"kept_by_rule", &PolicyEstimate::by_rule, "by keep"},
        {"never", &PolicyEstimate::never, "no chance to be kept: the estimate does not cover them"},
        {"slow", &PolicyEstimate::slow},
        {"slow_missed", [](auto& e) { return e.slow - e.slow_kept; }},
        {"failed", &PolicyEstimate::failed},
        {"failed_missed", [](auto& e) { return e.failed - e.failed_kept; }},
        {"truth", kFigures, &PolicyEstimate::truth},
        {"estimate", kFigures, &PolicyEstimate::estimate, "from those that are kept"},
    }};

const PolicyShape<PolicyEstimate> kRoute{
    "route",
    {
        {"role", [](auto& e) { return OneOf<model::Role::client>{e.route->role}; }},
        {"method", [](auto& e) { return OrNull{e.route->method}; }},
        {"route", [](auto& e) { return OrNull{e.route->route}; }},
        {kEstimate, Refer{[](auto& e) { return &e; }}},
    }};

const PolicyShape<RateChange> kRateChange{
    "rate_change",
    {
        {"from_ns", [](auto& r, auto& c) { return c.offset(r.from); }, "since the first event"},
        {"applies", adaptations_of, "which entries of adapt, from 0, have a condition that fires"},
    }};

const PolicyShape<Missed> kMissed{
    "missed",
    {
        {"id", &Missed::id},
        {"start_ns", [](auto& m, auto& c) { return when(c.clock.known(), c.clock.realtime(m.start)); }, "since 1970"},
        {"duration_ns", [](auto& m) { return when(m.duration >= 0, m.duration); }},
        {"status", or_null(&Missed::status)},
        {"slow", &Missed::slow},
        {"failed", &Missed::failed},
        {"rate", &Missed::rate, "at which it began"},
    }};

const PolicyShape<WindowFigures> kWindowFigures{
    "window_figures",
    {
        {"requests", &WindowFigures::requests, "of the route that ended in the window"},
        {"per_second", &WindowFigures::per_second,
         "of all connections; null: not known, or the window is not over at the end of the capture"},
        {"errors", &WindowFigures::errors, "a share"},
        {"p95_ns", &WindowFigures::p95, "null: too few"},
    }};

const PolicyShape<FormulaResult> kFormulaResult{
    "formula_result",
    {
        {"rate", &FormulaResult::rate, "of requests that began in the window"},
        {"known", &FormulaResult::known, "from the window before; otherwise it is that of the policy"},
        {"kept", &FormulaResult::kept},
        {"slow_missed", &FormulaResult::slow_missed},
        {"failed_missed", &FormulaResult::failed_missed},
    }};

const PolicyShape<FormulaWindow> kFormulaWindow{
    "window",
    {
        {"from_ns", [](auto& w, auto& c) { return c.offset(w.from); }, "since the first event"},
        {"route", &FormulaWindow::route},
        {"ended", kWindowFigures, &FormulaWindow::figures, "they decide the rates of the next window"},
        {"begun", &FormulaWindow::begun, "requests that began in it, with a known outcome"},
        {"slow", &FormulaWindow::slow, "of those"},
        {"failed", &FormulaWindow::failed, "of those"},
        {"adaptive", kFormulaResult, [](auto& w) { return w.by_formula[0]; }},
        {"adaptive_clamped", kFormulaResult, [](auto& w) { return w.by_formula[1]; }},
    }};

const PolicyShape<SamplingVariant> kVariant{
    "variant",
    {
        {"sampling", one_of<SamplingVariant::Kind::adapt>(&SamplingVariant::kind),
         "policy: as it is; adapt: its rate and adapt without a formula"},
        {kEstimate, Refer{[](auto& v) { return &v.all; }}},
    }};

const PolicyShape<RegistryRate> kRegistryRate{
    "registry_rate",
    {
        {"route", &RegistryRate::route},
        {"rate", &RegistryRate::rate},
        {"decided_ns", [](auto& r, auto& c) { return c.offset(r.decided); }, "since the first event"},
    }};

const PolicyShape<RateRegistry> kRegistry{"registry",
                                          {
                                              {"rate", &RateRegistry::rate, "of other routes"},
                                              {"routes", kRegistryRate, &RateRegistry::routes, "by name"},
                                          }};

const PolicyShape<SamplingOutcome> kSampling{
    "sampling",
    {
        {"changes", kRateChange, &SamplingOutcome::changes, "", {.least_items = 1}},
        {"all", kEstimate, &SamplingOutcome::all},
        {"routes", kRoute, &SamplingOutcome::routes, "most requests first"},
        {"missed_total", &SamplingOutcome::missed_total},
        {"missed", kMissed, &SamplingOutcome::missed, "at most -n, the slowest first"},
        {"formula", [](auto&, auto& c) { return c.formula(); }, "null: the policy has none"},
        {"windows", kFormulaWindow, &SamplingOutcome::windows, "of a formula: by time, then by route"},
        {"variants", kVariant, &SamplingOutcome::variants, "of a formula: other rates beside it"},
        {"registry", kRegistry, &SamplingOutcome::registry, "the rates at the end"},
    }};

const PolicyShape<BreakerChange> kBreakerChange{
    "breaker_change",
    {
        {"at_ns", [](auto& b, auto& c) { return c.offset(b.at); }, "since the first event", {.known = true}},
        {"state", one_of<BreakerState::half_open>(&BreakerChange::to)},
    }};

const PolicyShape<NamedBreaker> kBreaker{
    "breaker",
    {
        {"name", &NamedBreaker::name},
        {"changes", kBreakerChange, Refer{[](auto& b) { return &b.outcome.changes; }}},
        {"requests", [](auto& b) { return b.outcome.requests; }, "of its route"},
        {"rejected", [](auto& b) { return b.outcome.rejected; }},
        {"rejected_failed", [](auto& b) { return b.outcome.rejected_failed; }, "of those: they failed as recorded"},
        {"rejected_unknown", [](auto& b) { return b.outcome.rejected_unknown; },
         "of those: it is not known how they ended"},
        {"not_closed_ns", [](auto& b) { return b.outcome.not_closed; }, "open and half open"},
    }};

const PolicyShape<PolicyAction> kAction{
    "action",
    {
        {"at_ns", [](auto& a, auto& c) { return c.offset(a.at); }, "since the first event", {.known = true}},
        {"action", one_of<PolicyAction::What::closed>(&PolicyAction::what)},
        {"condition", [](auto& a, auto& c) { return OrNull{c.condition(a.condition)}; },
         "that fired or resolved; of a rate and a breaker: the one that is the cause"},
        {"condition_fires",
         [](auto& a) { return when(a.what == PolicyAction::What::rate && a.condition != SIZE_MAX, a.fires); },
         "of a rate with a condition; false: it has resolved"},
        {"limits", kLimit, limits_at, "of a condition that fired or resolved, with their values then"},
        {"route", [](auto& a) { return OrNull{a.route}; }, "of a rate; null: all routes alike"},
        {"from", [](auto& a) { return when(a.what == PolicyAction::What::rate, a.from); }, "of a rate"},
        {"to", [](auto& a) { return when(a.what == PolicyAction::What::rate, a.to); }, "of a rate"},
        {"figures", kWindowFigures, &PolicyAction::figures,
         "of a rate that a formula computes: of the window that ended last"},
        {"breaker", [](auto& a, auto& c) { return OrNull{c.breaker(a.breaker)}; }},
    }};

const PolicyShape<Provenance> kHead{
    "head",
    {
        {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
        {"tailcap", &Provenance::tailcap, "the version that replayed it", {.least_length = 1}},
        {"policy", provenance_shape(), Refer{[](auto& p) { return &p; }}},
    }};

struct PolicyDocument {
  const Provenance& from;
  const PolicyOutcome& outcome;
};
const PolicyShape<PolicyDocument> kPolicy{
    "policy",
    {
        {kHead, Refer{[](auto& d) { return &d.from; }}},
        {"capture", [](auto& d) { return d.outcome.file; }},
        {"every_ns", [](auto& d) { return d.outcome.policy.every; }, "between two evaluations"},
        {"weight", [](auto& d) { return when(d.outcome.weight > 0, d.outcome.weight); },
         "how many requests each recorded one stands for; not 1: a part of the connections is recorded; null: not "
         "known"},
        {"looks", [](auto& d) { return d.outcome.looks; }},
        {"requests", [](auto& d) { return d.outcome.requests; }, "with a known outcome"},
        {"left_out", [](auto& d) { return d.outcome.left_out; },
         "requests whose ends, beginnings or durations are not known"},
        {"conditions", kCondition, [](auto& d) { return conditions_of(d.outcome); }},
        {"sampling", kSampling, Refer{[](auto& d) { return &d.outcome.sampling; }}, "null: the policy has none"},
        {"breakers", kBreaker, [](auto& d) { return breakers_of(d.outcome); }},
        {"actions_total", [](auto& d) { return d.outcome.actions_total; }},
        {"actions", kAction, Refer{[](auto& d) { return &d.outcome.actions; }},
         "by time; at one time conditions, then rates by route, then breakers; the first 200,000"},
    }};

}  // namespace
}  // namespace of_policy

std::string policy_json(const model::policy::PolicyOutcome& outcome, const model::WallClock& clock,
                        const Provenance& policy) {
  return json_of(of_policy::kPolicy, of_policy::PolicyDocument{policy, outcome},
                 of_policy::PolicyContext{outcome, clock});
}

std::string policy_schema() {
  return json_schema(of_policy::kPolicy, "tailcap policy --json",
                     "What a policy would have done. null: not known; never 0. JSON.md says what the names mean.");
}

}  // namespace tailcap::report
