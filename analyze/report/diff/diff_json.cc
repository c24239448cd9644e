#include "analyze/model/request.h"
#include "analyze/report/compare/compare_words.h"
#include "analyze/report/diff/diff_report.h"
#include "analyze/report/diff/diff_words.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace of_diff {
namespace {

using model::difference::CalleeContrast;
using model::difference::Contrast;
using model::difference::Difference;
using model::difference::EdgeDifference;
using model::difference::FunctionContrast;
using model::difference::ReportedRoute;
using model::difference::RouteChange;
using model::difference::RouteDifference;
using model::difference::Setting;
using model::difference::SettingDifference;
using model::difference::SideSummary;
using model::gate::RouteName;
using model::gate::SoftwareChange;

struct DiffContext {
  const Difference& difference;
};
template <class T>
using DiffShape = Shape<T, DiffContext>;

const JsonBounds kText{.least_length = 1};

std::optional<std::int64_t> known_ns(const model::Quantile& q) {
  return when(q.support != model::Support::refused, q.value.count());
}

const DiffShape<SideSummary> kSide{
    "side",
    {
        {"file", &SideSummary::file, "", kText},
        {"part", or_null(&SideSummary::part), "which part of the capture; null: all of it"},
        {"began_ns", or_null(&SideSummary::begin), "since 1970; null: not known"},
        {"ended_ns", or_null(&SideSummary::end)},
        {"seconds", &SideSummary::seconds, "from the first request to the last"},
        {"requests", &SideSummary::requests, "from outside: none that a recorded request made"},
        {"requests_per_second", &SideSummary::per_second},
        {"under_way", &SideSummary::under_way, "requests at a time, on average"},
        {"cpu_ns", &SideSummary::cpu, "on a CPU, a served request on average"},
        {"cpu_wait_ns", &SideSummary::cpu_waits, "waiting for a CPU, likewise"},
        {"complete", &SideSummary::whole, "the capture was not cut short or damaged, and was read to its end"},
        {"lost", &SideSummary::lost, "events"},
        {"undecided_calls", &SideSummary::undecided_calls, "calls with several possible parents"},
    }};

const DiffShape<RouteName> kDiffRoute{"route_name",
                                      {
                                          {"role", one_of<model::Role::client>(&RouteName::role)},
                                          {"method", or_null(&RouteName::method)},
                                          {"route", &RouteName::route},
                                          {"comm", or_null(&RouteName::comm), "null: it does not distinguish routes"},
                                      }};

const DiffShape<Contrast> kContrast{
    "contrast",
    {
        {"relative", [](auto& c) { return c.metric.relative(); },
         "change, low, high and detectable are ratios (0.1 is +10 %)"},
        {"a", [](auto& c) { return c.level[0]; }, "ns, a share, a number per request"},
        {"b", [](auto& c) { return c.level[1]; }},
        {"change", [](auto& c) { return OrNull{c.change}; }, "B less A"},
        {"low", [](auto& c) { return OrNull{c.low}; }, "of the 95 % interval"},
        {"high", [](auto& c) { return OrNull{c.high}; }},
        {"exact", &Contrast::exact, "every request of a side has the same number"},
        {"p", &Contrast::p, "that two recordings of one service differ so; not adjusted for how many are compared"},
        {"undecided_calls", &Contrast::slack,
         "what calls without a known parent, or samples without a known request, could add"},
        {"detectable", [](auto& c) { return OrNull{c.detectable}; }, "what 80 % of such pairs would show"},
        {"changed", &Contrast::changed,
         "beyond what two recordings of one service differ by, over all that was compared; of labels: by itself"},
    }};

const DiffShape<Contrast> kNumber{"number",
                                  {
                                      {"metric", [](auto& c) { return name_of(c.metric); }},
                                      {"unknown", or_null(&Contrast::missing), "why there is none"},
                                      {"contrast", kContrast, [](auto& c) { return where(c.known, c); }},
                                  }};

const DiffShape<Contrast> kLabel{"label",
                                 {
                                     {"label", [](auto& c) { return name_of(c.metric); }},
                                     {kContrast, Refer{[](auto& c) { return &c; }}},
                                 }};

const DiffShape<CalleeContrast> kCallee{"callee",
                                        {
                                            {"callee", &CalleeContrast::callee, "a statement, or a method and route"},
                                            {"a_calls", [](auto& c) { return c.calls[0]; }, "in all"},
                                            {"b_calls", [](auto& c) { return c.calls[1]; }},
                                            {"per_request", kContrast, &CalleeContrast::per_request},
                                        }};

const DiffShape<FunctionContrast> kFunction{
    "function",
    {
        {"function", &FunctionContrast::name, "of the program, without the functions that it calls", kText},
        {"caller", or_null(&FunctionContrast::caller),
         "that called it for most of the change; null: several, or not known"},
        {"a_samples", [](auto& f) { return f.samples[0]; }},
        {"b_samples", [](auto& f) { return f.samples[1]; }},
        {"time", kContrast, &FunctionContrast::time, "ns of CPU time a request"},
    }};

const DiffShape<ReportedRoute> kFacts{
    "facts",
    {
        {"p50_ns", [](auto& f) { return known_ns(f.p50); }, "as the report says it; null: refused"},
        {"p99_ns", [](auto& f) { return known_ns(f.p99); }},
        {"slowest", or_null(&ReportedRoute::slowest), "the id of its slowest request"},
    }};

const DiffShape<RouteDifference> kRoute{
    "route",
    {
        {kDiffRoute, &RouteDifference::name},
        {"not_compared", or_null(&RouteDifference::missing), "why; null: it is compared"},
        {"a_requests", [](auto& r) { return r.requests[0]; }},
        {"b_requests", [](auto& r) { return r.requests[1]; }},
        {"a_per_second", [](auto& r) { return r.per_second[0]; }},
        {"b_per_second", [](auto& r) { return r.per_second[1]; }},
        {"a", kFacts, [](auto& r) { return &r.facts[0]; }},
        {"b", kFacts, [](auto& r) { return &r.facts[1]; }},
        {"numbers", kNumber, &RouteDifference::metrics, "own_mean and own_p99 are durations without waits for a CPU"},
        {"labels", kLabel, &RouteDifference::labels, "ns a request on average; largest change first"},
        {"callees", kCallee, &RouteDifference::callees, "calls a request; largest change first"},
        {"functions", kFunction, &RouteDifference::functions, "with 30 samples or more; largest change first"},
    }};

struct SaidChange {
  const RouteChange& change;
  std::size_t place;
};
std::vector<SaidChange> changes_of(const Difference& d) {
  std::vector<SaidChange> out;
  for (std::size_t i = 0; i < d.changes.size(); ++i) out.push_back({d.changes[i], i});
  return out;
}
const DiffShape<SaidChange> kChange{
    "change",
    {
        {"sentence", [](auto& s, auto& c) { return change_sentence(c.difference, s.place); }},
        {"route", kDiffRoute, [](auto& s, auto& c) { return &c.difference.routes[s.change.route].name; }},
        {"weight", [](auto& s) { return s.change.weight; }, "of the time and the requests of all routes"},
        {"explained_by",
         [](auto& s) {
           return when(s.change.explained_by >= 0, static_cast<std::uint64_t>(std::max(0, s.change.explained_by)));
         },
         "the place in this list of the change of a route that it calls; null: none"},
    }};

const DiffShape<EdgeDifference> kEdge{
    "edge",
    {
        {"from", &EdgeDifference::from},
        {"to", &EdgeDifference::to},
        {"protocol", &EdgeDifference::protocol},
        {"a_calls", [](auto& e) { return e.calls[0]; }},
        {"b_calls", [](auto& e) { return e.calls[1]; }},
        {"a_failed", [](auto& e) { return e.failed[0]; }, "at the server, or broken off"},
        {"b_failed", [](auto& e) { return e.failed[1]; }},
        {"a_per_second", [](auto& e) { return e.per_second[0]; }},
        {"b_per_second", [](auto& e) { return e.per_second[1]; }},
        {"a_p50_ns", [](auto& e) { return known_ns(e.p50[0]); }},
        {"b_p50_ns", [](auto& e) { return known_ns(e.p50[1]); }},
    }};

const DiffShape<SoftwareChange> kSoftware{
    "software",
    {
        {"what", one_of<SoftwareChange::Kind::build_id>(&SoftwareChange::kind)},
        {"program", &SoftwareChange::program, "the path of its package, or a file's name"},
        {"module", or_null(&SoftwareChange::module), "its path; null: it is none"},
        {"a", &SoftwareChange::base, "empty: it is not there", kText},
        {"b", &SoftwareChange::fresh, "empty: it is not there", kText},
    }};

const DiffShape<SettingDifference> kSetting{
    "setting",
    {
        {"kind", one_of<Setting::Kind::note>(&SettingDifference::kind)},
        {"name", &SettingDifference::name},
        {"a", or_null(&SettingDifference::first), "what only A has; null: nothing"},
        {"b", or_null(&SettingDifference::second)},
    }};

struct DiffDocument {
  std::string_view tailcap;
  const Difference& d;
};
const auto kRoutes = [](auto& x) -> auto& { return x.d.routes; };
const auto kEdges = [](auto& x) -> auto& { return x.d.edges; };
const auto kPrograms = [](auto& x) -> auto& { return x.d.software; };
const auto kSettings = [](auto& x) -> auto& { return x.d.settings; };
const DiffShape<DiffDocument> kDiff{
    "diff",
    {
        {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
        {"tailcap", &DiffDocument::tailcap, "the version that compared", kText},
        {"sentence", [](auto& x) { return headline(x.d); }},
        {"load", [](auto& x) { return load_sentence(x.d); }},
        {"same", [](auto& x) { return x.d.same; }, "A and B are the same capture"},
        {"one_recording", [](auto& x) { return x.d.one_recording; }, "both come of one recording"},
        {"a", kSide, [](auto& x) { return &x.d.sides[0]; }},
        {"b", kSide, [](auto& x) { return &x.d.sides[1]; }},
        {"compared", [](auto& x) { return x.d.compared; }, "numbers of routes"},
        {"changes", kChange, [](auto& x) { return changes_of(x.d); }, "what changed most first"},
        {"routes", kRoute, kRoutes, "served ones first, most requests first"},
        {"edges", kEdge, kEdges, "those of one side first, then most calls first"},
        {"software", kSoftware, kPrograms, "what differs in programs that both sides have"},
        {"settings", kSetting, kSettings, "of the machine, the recorder, command lines and notes"},
        {"functions_not_compared", [](auto& x) { return OrNull{x.d.no_functions}; }, "why; null: they are"},
        {"remarks", [](auto& x) { return remarks(x.d); }, "what limits what is said", kText},
    }};

}  // namespace
}  // namespace of_diff

std::string diff_json(const model::difference::Difference& difference, const std::string& tailcap) {
  return json_of(of_diff::kDiff, of_diff::DiffDocument{tailcap, difference}, of_diff::DiffContext{difference});
}

std::string diff_schema() {
  return json_schema(of_diff::kDiff, "tailcap diff --json",
                     "Two captures, A and B, side by side. null: not known; never none. JSON.md says what the names "
                     "mean.");
}

}  // namespace tailcap::report
