#include "analyze/report/compare/assertion.h"

#include <algorithm>

#include "analyze/model/request.h"
#include "analyze/report/compare/compare_words.h"
#include "analyze/report/compare/junit.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using model::gate::Assertion;
using model::gate::GateVerdict;
using model::gate::Metric;
using model::gate::Objective;
using model::gate::ObjectiveResult;
using render::Column;
using render::Tone;

constexpr std::size_t kCallee = 100;  // columns

const Objective& objective_of(const Assertion& a, const ObjectiveResult& r) {
  return a.slos[r.slo].objectives[r.objective];
}

std::string limit_text(const Objective& o, double value) {
  if (!o.of_time) return value_text(o.metric, value);
  return value_text({Metric::Kind::errors, 0}, value);  // a percentage
}

std::string limit_text(const Objective& o) { return std::string(name_of(o.metric)) + " ≤ " + printable(o.text); }

std::string interval_of(const Objective& o, const ObjectiveResult& r) {
  if (!r.interval) return "–";
  if (!r.upper) return "≥ " + limit_text(o, r.low);
  return r.low == r.high ? "exact" : limit_text(o, r.low) + " … " + limit_text(o, r.high);
}

std::string found_text(const Objective& o, const ObjectiveResult& r) {
  return (r.at_least ? "≥ " : "") + limit_text(o, r.value);
}

std::string name_of_slo(const Assertion& a, const ObjectiveResult& r) {
  const auto& slo = a.slos[r.slo];
  return (slo.name.empty() ? "" : printable(slo.name) + ": ") + (r.found ? route_text(r.route) : printable(slo.route));
}

std::string sentence(const Assertion& a, const ObjectiveResult& r) {
  const Objective& o = objective_of(a, r);
  std::string out = name_of_slo(a, r) + " in " + printable(r.file) + ": " + limit_text(o);
  if (r.known) out += ", found " + found_text(o, r) + " (" + interval_of(o, r) + ")";
  if (r.known && !r.of.empty()) out += ", of `" + printable(r.of) + "`";
  for (const std::string& why : r.missing) out += "; " + why;
  return out;
}

std::string assertion_summary(const Assertion& a) {
  std::size_t fails = 0, open = 0;
  for (const auto& r : a.results) {
    fails += r.verdict == GateVerdict::fail;
    open += r.verdict == GateVerdict::undecided;
  }
  const std::string all = count_text(a.results.size(), "limit", "limits");
  if (fails > 0)
    return "fail: " + count_text(fails) + " of " + all + (open > 0 ? ", " + count_text(open) + " undecided" : "");
  return open > 0 ? "undecided: " + count_text(open) + " of " + all : "pass: " + all;
}

}  // namespace

render::Document assertion_document(const Assertion& a, bool explain) {
  render::Document out;
  out.heading(1, "tailcap assert");
  render::Facts facts{render::Facts::Line{tone_of(a.verdict), "verdict", assertion_summary(a)}, {}, true};
  if (a.by == model::gate::DecideBy::observed)
    facts.lines.push_back(
        {Tone::plain, "observed",
         "what an interval leaves open is decided by the value of this capture; another recording can "
         "differ"});
  out.add(std::move(facts));
  std::vector<const ObjectiveResult*> shown;
  for (const auto& r : a.results)
    if (explain || r.verdict != GateVerdict::pass) shown.push_back(&r);
  std::stable_sort(shown.begin(), shown.end(), [](auto* x, auto* y) {
    const auto rank = [](const auto* r) {
      return r->verdict == GateVerdict::fail ? 0 : r->verdict == GateVerdict::undecided ? 1 : 2;
    };
    return rank(x) < rank(y);
  });
  if (shown.empty()) return out;
  render::Table table;
  table.columns = {{"verdict", Column::Kind::word},
                   {"limit", Column::Kind::word},
                   {"value"},
                   {"95 % interval", Column::Kind::word},
                   {"requests"},
                   {"route", Column::Kind::name},
                   {"capture", Column::Kind::name}};
  for (const auto* r : shown) {
    const Objective& o = objective_of(a, *r);
    render::Row row;
    render::Cell verdict(std::string(name_of(r->verdict)) + (r->observed ? ", observed" : ""));
    verdict.tone = tone_of(r->verdict);
    row.cells = {verdict,
                 limit_text(o),
                 r->known ? found_text(o, *r) : "–",
                 interval_of(o, *r),
                 count_text(r->requests),
                 name_of_slo(a, *r),
                 printable(r->file)};
    if (!r->of.empty()) row.below.emplace_back(Tone::plain, "of `" + shortened(printable(r->of), kCallee) + "`");
    for (const std::string& why : r->missing) row.below.emplace_back(Tone::care, why);
    table.rows.push_back(std::move(row));
  }
  out.add(std::move(table));
  return out;
}

namespace {

struct AssertContext {
  const Assertion& assertion;
};
template <class T>
using AssertShape = Shape<T, AssertContext>;

const AssertShape<ObjectiveResult> kObjectiveResult{
    "result",
    {
        {"capture", &ObjectiveResult::file, "a file's name"},
        {"name", [](auto& r, auto& c) { return OrNull{c.assertion.slos[r.slo].name}; }, "null: it has none"},
        {"wanted_route", [](auto& r, auto& c) { return c.assertion.slos[r.slo].route; }, "as in the file"},
        {"method", [](auto& r) { return OrNull{r.route.method}; }},
        {"route", [](auto& r) { return OrNull{r.route.route}; }, "null: none was recorded"},
        {"metric", [](auto& r, auto& c) { return name_of(objective_of(c.assertion, r).metric); }},
        {"line", [](auto& r, auto& c) { return objective_of(c.assertion, r).line; }, "in the file", {.least = 1}},
        {"limit", [](auto& r, auto& c) { return objective_of(c.assertion, r).limit; },
         "ns, a share, a number per request"},
        {"of_time", [](auto& r, auto& c) { return objective_of(c.assertion, r).of_time; },
         "the limit of a label is a share of the route's time"},
        {"verdict", one_of<GateVerdict::undecided>(&ObjectiveResult::verdict)},
        {"observed", &ObjectiveResult::observed, "the value decided, because the interval did not"},
        {"missing", &ObjectiveResult::missing, "why it is undecided", {.least_length = 1}},
        {"value", [](auto& r) { return when(r.known, r.value); }},
        {"at_least", &ObjectiveResult::at_least, "value is a lower bound: requests broke off or were cut off"},
        {"low", [](auto& r) { return when(r.interval, r.low); }, "of the 95 % interval within the capture"},
        {"high", [](auto& r) { return when(r.upper, r.high); }, "null, but low is not: there is no upper bound"},
        {"requests", &ObjectiveResult::requests, "that were evaluated"},
        {"of", or_null(&ObjectiveResult::of), "of same_calls: the statement or route that a request called most often"},
    }};

struct AssertDocument {
  const Assertion& assertion;
  const Provenance& limits;
};
const AssertShape<AssertDocument> kAssertion{
    "assertion",
    {
        {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
        {"verdict", [](auto& d) { return OneOf<GateVerdict::undecided>{d.assertion.verdict}; }},
        {"sentence", [](auto& d) { return assertion_summary(d.assertion); }},
        {"tailcap", [](auto& d) { return d.limits.tailcap; }, "the version that judged", {.least_length = 1}},
        {"slo", provenance_shape(), Refer{[](auto& d) { return &d.limits; }}},
        {"observed", [](auto& d) { return d.assertion.by == model::gate::DecideBy::observed; }, "with --observed"},
        {"results", kObjectiveResult, Refer{[](auto& d) { return &d.assertion.results; }},
         "each limit in each route and capture"},
    }};

}  // namespace

std::string assertion_json(const Assertion& a, const Provenance& limits) {
  return json_of(kAssertion, AssertDocument{a, limits}, AssertContext{a});
}

std::string assertion_schema() {
  return json_schema(
      kAssertion, "tailcap assert --json",
      "Limits held against recordings. null: not known; never 0. assert.md says what the verdicts mean.");
}

std::string assertion_junit(const Assertion& a, bool undecided_fails, const Provenance& limits) {
  std::vector<JunitCase> cases;
  for (const auto& r : a.results)
    cases.push_back({name_of_slo(a, r), limit_text(objective_of(a, r)), r.verdict, sentence(a, r)});
  return junit_text("tailcap assert", cases, undecided_fails,
                    {{"tailcap.version", limits.tailcap},
                     {"tailcap.slo.file", printable(limits.file)},
                     {"tailcap.slo.sha256", limits.sha256},
                     {"tailcap.observed", a.by == model::gate::DecideBy::observed ? "true" : "false"}});
}

}  // namespace tailcap::report
