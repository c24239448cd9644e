#include "analyze/model/request.h"
#include "analyze/report/compare/compare.h"
#include "analyze/report/compare/compare_words.h"
#include "analyze/report/compare/functions.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace of_compare {
namespace {

using model::gate::AccountRow;
using model::gate::AccountTable;
using model::gate::CallRow;
using model::gate::CompareOptions;
using model::gate::Comparison;
using model::gate::FunctionComparison;
using model::gate::FunctionRow;
using model::gate::GateEstimate;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::Method;
using model::gate::MetricRow;
using model::gate::RouteComparison;
using model::gate::RouteName;
using model::gate::SoftwareChange;

struct CompareContext {
  const Comparison& comparison;
};
template <class T>
using CompareShape = Shape<T, CompareContext>;

// An estimate with what its numbers are.
struct Estimated {
  const GateEstimate& e;
  bool relative;
};
std::optional<Estimated> estimated(const GateEstimate& e, bool relative) {
  return when(e.known, Estimated{e, relative});
}

struct Side {
  std::size_t runs;
  double seconds, rate;
};
struct ComparedMetric {
  const RouteComparison& route;
  const MetricRow& row;
};
std::vector<ComparedMetric> metrics_of(const RouteComparison& r) {
  std::vector<ComparedMetric> out;
  for (const MetricRow& row : r.metrics) out.push_back({r, row});
  return out;
}

const JsonBounds kWords{.least_length = 1};
const JsonBounds kVersions{.least_length = 1, .unique = true};

const CompareShape<SoftwareChange> kSoftware{
    "software",
    {
        {"what", one_of<SoftwareChange::Kind::build_id>(&SoftwareChange::kind)},
        {"program", &SoftwareChange::program, "the path of its package, or a file's name"},
        {"module", or_null(&SoftwareChange::module), "its path; null: it is none"},
        {"base", &SoftwareChange::base, "of the runs of the side; empty: it is not there", kVersions},
        {"new", &SoftwareChange::fresh, "of the runs of the side; empty: it is not there", kVersions},
    }};

const CompareShape<Comparison> kParameters{
    "parameters",
    {
        {"alpha", [](auto& c) { return c.options.level; }, "the level of the one-sided tests over all gates"},
        {"min_runs", [](auto& c) { return c.options.min_runs; }},
        {"strict", [](auto& c) { return c.options.strict; }},
        {"allow_sequential", [](auto& c) { return c.options.allow_sequential; }},
        {"self", [](auto& c) { return c.options.self; }},
        {"noise_runs", &Comparison::noise_runs, "of --noise"},
        {"screened", [](auto& c) { return OrNull{c.options.screened}; }, "of --screened"},
    }};

const CompareShape<Side> kSide{"side",
                               {
                                   {"runs", &Side::runs},
                                   {"seconds", &Side::seconds, "without warm-up"},
                                   {"requests_per_second", &Side::rate},
                               }};

const CompareShape<RouteName> kRouteName{
    "route_name",
    {
        {"role", one_of<model::Role::client>(&RouteName::role)},
        {"method", or_null(&RouteName::method)},
        {"route", &RouteName::route},
        {"comm", or_null(&RouteName::comm), "null: it does not distinguish routes"},
    }};

const CompareShape<Estimated> kEstimate{
    "estimate",
    {
        {"relative", &Estimated::relative,
         "difference, low, high and mde80 are ratios (0.1 is +10 %), se and df those of the logarithm"},
        {"exact", [](auto& x) { return x.e.exact; }, "every request of each side has the same number"},
        {"base", [](auto& x) { return x.e.base; }, "ns, a share, a number per request"},
        {"new", [](auto& x) { return x.e.fresh; }},
        {"difference", [](auto& x) { return x.e.difference; }},
        {"low", [](auto& x) { return OrNull{x.e.low}; }, "of the 90 % interval; null: beyond any number"},
        {"high", [](auto& x) { return OrNull{x.e.high}; }},
        {"mde80", [](auto& x) { return OrNull{x.e.mde}; },
         "the increase that would be found in 80 % of such comparisons"},
        {"se", [](auto& x) { return x.e.se; }, "of the test"},
        {"df", [](auto& x) { return x.e.df; }},
        {"p_increase", [](auto& x) { return x.e.p_above; }, "one-sided"},
        {"p", [](auto& x) { return x.e.p_two; }, "two-sided"},
        {"undecided_calls", [](auto& x) { return x.relative ? 0 : x.e.slack; },
         "what calls without a known parent, or requests whose waits or wake-ups are not known, could add"},
        {"base_at_least", [](auto& x) { return x.e.base_at_least; }, "a lower bound, because requests broke off"},
        {"new_at_least", [](auto& x) { return x.e.fresh_at_least; }},
        {"noticed", [](auto& x) { return x.e.noticed; }, "advisory"},
    }};

const CompareShape<GateResult> kGate{
    "gate",
    {
        {"gate", [](auto& g) { return gate_text(g); }, "as written"},
        {"metric", [](auto& g) { return name_of(g.gate.metric); }},
        {"route", kRouteName, [](auto& g, auto& c) { return g.found ? &c.comparison.routes[g.route].name : nullptr; },
         "null: there is none"},
        {"threshold", &GateResult::threshold, "in the unit of the estimate"},
        {"verdict", one_of<GateVerdict::undecided>(&GateResult::verdict)},
        {"missing", &GateResult::missing, "why it is undecided", kWords},
        {"needs_longer_runs", &GateResult::longer_runs, "more runs of this length would not decide it"},
        {"p_holm", &GateResult::p_holm},
        {"sentence", [](auto& g, auto& c) { return gate_sentence(c.comparison, g); }},
        {"estimate", kEstimate, [](auto& g) { return estimated(g.estimate, g.gate.metric.relative()); }},
    }};

const CompareShape<ComparedMetric> kMetric{
    "metric",
    {
        {"metric", [](auto& m) { return name_of(m.row.metric); }},
        {"unknown", [](auto& m) { return OrNull{m.row.estimate.missing}; }, "why there is no estimate"},
        {"why", [](auto& m) { return OrNull{why_text(m.route, m.row.metric)}; }, "which label or call moved"},
        {"estimate", kEstimate, [](auto& m) { return estimated(m.row.estimate, m.row.metric.relative()); }},
    }};

const CompareShape<AccountRow> kAccount{
    "account",
    {
        {"label", [](auto& a) { return model::gate::account_name(a.account); },
         "no_account: the time of requests without an account"},
        {"base_ns", &AccountRow::base},
        {"new_ns", &AccountRow::fresh},
        {"difference_ns", &AccountRow::difference},
        {"estimate", kEstimate, [](auto& a) { return estimated(a.estimate, false); }},
    }};

const CompareShape<AccountTable> kAccounts{
    "accounts",
    {
        {"base_ns", &AccountTable::base},
        {"new_ns", &AccountTable::fresh},
        {"difference_ns", &AccountTable::difference},
        {"labels", kAccount, &AccountTable::rows, "whose numbers sum to these exactly; largest difference first"},
    }};

const CompareShape<RouteComparison> kRoute{
    "route",
    {
        {kRouteName, &RouteComparison::name},
        {"not_compared", or_null(&RouteComparison::absent), "why; null: it is compared"},
        {"base_requests", &RouteComparison::base_requests, "with a duration, of each run"},
        {"new_requests", &RouteComparison::fresh_requests, "with a duration, of each run"},
        {"cut_to", or_null(&RouteComparison::compared), "requests of each run that are compared; null: all"},
        {"bursts", &RouteComparison::bursts, "clusters in time of the slowest 1 %, of all runs"},
        {"decorrelation_seconds", &RouteComparison::decorrelation},
        {"metrics", kMetric, metrics_of},
        {"mean", kAccounts, [](auto& r) { return where(r.all.known, r.all); }, "of all requests; null: too few"},
        {"slowest", kAccounts, [](auto& r) { return where(r.slow.known, r.slow); },
         "of the slowest 1 %; null: too few"},
        {"slowest_own", kAccounts, [](auto& r) { return where(r.own.known, r.own); },
         "of the 1 % with the longest time without waits for a CPU, and of that time; null: too few"},
    }};

const CompareShape<CallRow> kCalled{
    "called",
    {{kRouteName, &CallRow::name}, {"estimate", kEstimate, [](auto& r) { return estimated(r.estimate, false); }}}};

const CompareShape<FunctionRow> kFunction{
    "function",
    {
        {"route", kRouteName, [](auto& f, auto& c) { return &c.comparison.routes[f.route].name; }},
        {"function", &FunctionRow::name, "of the program, without the functions that it calls", kWords},
        {"caller", or_null(&FunctionRow::caller), "that called it for most of the change; null: several, or not known"},
        {"base_samples", &FunctionRow::base_samples},
        {"new_samples", &FunctionRow::fresh_samples},
        {"p_holm", &FunctionRow::p_holm, "two-sided, over all functions that were compared"},
        {"sentence", [](auto& f, auto& c) { return function_sentence(c.comparison, f); }},
        {"estimate", kEstimate, [](auto& f) { return estimated(f.estimate, false); },
         "ns of CPU time per request; undecided_calls: of samples inside several requests at once"},
    }};

const CompareShape<FunctionComparison> kFunctions{
    "functions",
    {
        {"missing", or_null(&FunctionComparison::missing), "why nothing is compared; null: it is"},
        {"base_samples", &FunctionComparison::base_samples, "inside requests that count"},
        {"new_samples", &FunctionComparison::fresh_samples},
        {"compared", &FunctionComparison::compared, "functions with 30 samples or more"},
        {"changes", kFunction, &FunctionComparison::rows, "at most 50: those noticed, then by the difference"},
    }};

using model::gate::GatePlan;
using model::gate::PlannedBudget;
using model::gate::PlannedGate;

const CompareShape<PlannedBudget> kBudget{
    "budget",
    {
        {"seconds", &PlannedBudget::seconds},
        {"screening_runs", &PlannedBudget::screening, "of a side"},
        {"fresh_runs", &PlannedBudget::fresh, "of a side, at most; 0: nothing can fail"},
    }};
struct Planned {
  const PlannedGate& g;
  const PlannedBudget& budget;
  std::size_t at;
};
const CompareShape<Planned> kPlannedIn{
    "planned_in",
    {
        {"seconds", [](auto& p) { return p.budget.seconds; }, "the budget"},
        {"found", [](auto& p) { return OrNull{p.g.detectable[p.at]}; },
         "the least increase that fails in 80 %; null: none does"},
        {"equal_pass", [](auto& p) { return p.g.passes[p.at]; }, "the share of equal versions that pass"},
    }};
const CompareShape<PlannedGate> kPlanned{
    "planned",
    {
        {"metric", [](auto& g) { return name_of(g.metric); }},
        {kRouteName, &PlannedGate::route},
        {"default", &PlannedGate::by_default, "it is a gate without --fail-on, or was given"},
        {"exact", &PlannedGate::exact, "every request has the same number"},
        {"base", &PlannedGate::base},
        {"noise", &PlannedGate::noise,
         "standard deviation of runs, in a duet of differences; of durations that of "
         "the logarithm"},
        {"threshold", &PlannedGate::threshold, "of the gate; durations: a ratio"},
        {"budgets", kPlannedIn,
         [](auto& g, auto& c) {
           std::vector<Planned> out;
           const auto& budgets = c.comparison.plan.budgets;
           for (std::size_t i = 0; i < budgets.size(); ++i) out.push_back({g, budgets[i], i});
           return out;
         }},
        {"proposed", [](auto& g) { return OrNull{g.proposed}; },
         "threshold; null: none that 90 % of equal versions pass within the second budget"},
        {"gate", or_null(&PlannedGate::gate), "the expression of --fail-on with it"},
    }};
const CompareShape<GatePlan> kPlan{
    "plan",
    {
        {"runs", &GatePlan::runs, "that were measured, of a side"},
        {"run_seconds", &GatePlan::run_seconds, "that one takes"},
        {"noise_least", &GatePlan::least, "times what was measured: the 90 % interval of each noise"},
        {"noise_most", &GatePlan::most},
        {"budgets", kBudget, &GatePlan::budgets},
        {"gates", kPlanned, &GatePlan::gates},
        {"not_judged", &GatePlan::not_judged, "what cannot be decided, and why, in words", kWords},
    }};

struct CompareDocument {
  std::string_view tailcap;
  const Comparison& c;
};
const CompareShape<CompareDocument> kHead{
    "head",
    {
        {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
        {"method", [](auto& d) { return OneOf<Method::duet_paired>{d.c.method}; }},
        {"verdict", [](auto& d) { return OneOf<GateVerdict::undecided>{d.c.verdict}; }},
        {"sentence", [](auto& d) { return verdict_text(d.c); }},
        {"tailcap", &CompareDocument::tailcap, "the version that compared", kWords},
    }};
const CompareShape<Comparison> kFound{
    "found",
    {
        {"obstacles", &Comparison::obstacles, "why the sides cannot be compared, in words", kWords},
        {"uneven", &Comparison::uneven, "why only counts that never vary can be", kWords},
        {"apart", or_null(&Comparison::apart),
         "the note of the first duet whose two recordings were not made at the same time"},
        {"remarks", &Comparison::remarks, "", kWords},
        {"software", kSoftware, &Comparison::software, "what differs in programs that both sides have"},
        {"same_version", or_null(&Comparison::same_version),
         "null: the sides are different versions, or it is not known"},
        {"parameters", kParameters, Refer{[](auto& c) { return &c; }}},
        {"base", kSide,
         [](auto& c) {
           return Side{c.base_runs, c.base_seconds, c.base_rate};
         }},
        {"new", kSide,
         [](auto& c) {
           return Side{c.fresh_runs, c.fresh_seconds, c.fresh_rate};
         }},
        {"interleaved", &Comparison::interleaved},
        {"closed_loop", &Comparison::closed_loop},
        {"gates", kGate, &Comparison::gates},
        {"routes", kRoute, &Comparison::routes, "most requests first"},
        {"called", kCalled, &Comparison::called,
         "calls per incoming request of any route, by the route that was called; empty where every call has a known "
         "parent"},
        {"functions", kFunctions, [](auto& c) { return where(c.functions.sampled, c.functions); },
         "CPU time by function; null: no run has samples"},
        {"not_gated", &Comparison::not_gated, "what the default gates leave out, and why, in words"},
        {"plan", kPlan, [](auto& c) { return where(c.plan.made, c.plan); },
         "of --plan: what gates could decide on this machine"},
    }};
const CompareShape<CompareDocument> kCompare{
    "compare", {{kHead, Refer{[](auto& d) { return &d; }}}, {kFound, Refer{[](auto& d) { return &d.c; }}}}};

}  // namespace
}  // namespace of_compare

std::string compare_json(const model::gate::Comparison& comparison, const std::string& tailcap) {
  return json_of(of_compare::kCompare, of_compare::CompareDocument{tailcap, comparison},
                 of_compare::CompareContext{comparison});
}

std::string compare_schema() {
  return json_schema(of_compare::kCompare, "tailcap compare --json",
                     "Repeated runs of two versions. null: not known; never none. JSON.md says what the names mean.");
}

}  // namespace tailcap::report
