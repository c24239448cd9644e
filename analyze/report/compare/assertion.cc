#include "analyze/report/compare/assertion.h"

#include <algorithm>

#include "analyze/model/request.h"
#include "analyze/report/compare/compare_words.h"
#include "analyze/report/compare/junit.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using model::gate::Assertion;
using model::gate::Metric;
using model::gate::Objective;
using model::gate::ObjectiveResult;
using model::gate::Verdict;
using render::Column;
using render::Tone;

constexpr std::size_t kCallee = 100;  // columns

const Objective& objective_of(const Assertion& a, const ObjectiveResult& r) {
  return a.slos[r.slo].objectives[r.objective];
}

std::string text_of(const Objective& o, double value) {
  if (!o.of_time) return value_text(o.metric, value);
  return value_text({Metric::Kind::errors, 0}, value);  // a percentage
}

std::string limit_text(const Objective& o) { return std::string(name_of(o.metric)) + " ≤ " + printable(o.text); }

std::string interval_of(const Objective& o, const ObjectiveResult& r) {
  if (!r.interval) return "–";
  if (!r.upper) return "≥ " + text_of(o, r.low);
  return r.low == r.high ? "exact" : text_of(o, r.low) + " … " + text_of(o, r.high);
}

std::string found_text(const Objective& o, const ObjectiveResult& r) {
  return (r.at_least ? "≥ " : "") + text_of(o, r.value);
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

std::string summary(const Assertion& a) {
  std::size_t fails = 0, open = 0;
  for (const auto& r : a.results) {
    fails += r.verdict == Verdict::fail;
    open += r.verdict == Verdict::undecided;
  }
  const std::string all = count_text(a.results.size(), "limit", "limits");
  if (fails > 0)
    return "fail: " + count_text(fails) + " of " + all + (open > 0 ? ", " + count_text(open) + " undecided" : "");
  return open > 0 ? "undecided: " + count_text(open) + " of " + all : "pass: " + all;
}

Tone tone_of(Verdict verdict) {
  return verdict == Verdict::pass ? Tone::plain : verdict == Verdict::fail ? Tone::alarm : Tone::care;
}

}  // namespace

render::Document assertion_document(const Assertion& a, bool explain) {
  render::Document out;
  out.heading(1, "tailcap assert");
  render::Facts facts{render::Facts::Line{tone_of(a.verdict), "verdict", summary(a)}, {}, true};
  if (a.by == model::gate::DecideBy::observed)
    facts.lines.push_back(
        {Tone::plain, "observed",
         "what an interval leaves open is decided by the value of this capture; another recording can "
         "differ"});
  out.add(std::move(facts));
  std::vector<const ObjectiveResult*> shown;
  for (const auto& r : a.results)
    if (explain || r.verdict != Verdict::pass) shown.push_back(&r);
  std::stable_sort(shown.begin(), shown.end(), [](auto* x, auto* y) {
    const auto rank = [](const auto* r) {
      return r->verdict == Verdict::fail ? 0 : r->verdict == Verdict::undecided ? 1 : 2;
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

std::string assertion_json(const Assertion& a, const Provenance& limits) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("schema", kJsonSchema);
  json.field("verdict", name_of(a.verdict));
  json.field("sentence", summary(a));
  provenance_fields(json, "slo", limits);
  json.field("observed", a.by == model::gate::DecideBy::observed);
  json.key("results");
  json.begin_array();
  for (const auto& r : a.results) {
    const Objective& o = objective_of(a, r);
    json.begin_object();
    json.field("capture", r.file);
    json.key("name");
    json.text_or_null(a.slos[r.slo].name);
    json.field("wanted_route", a.slos[r.slo].route);
    json.key("method");
    json.text_or_null(r.route.method);
    json.key("route");
    json.text_or_null(r.route.route);
    json.field("metric", name_of(o.metric));
    json.field("line", std::uint64_t{o.line});
    json.key("limit");
    json.real(o.limit);
    json.field("of_time", o.of_time);
    json.field("verdict", name_of(r.verdict));
    json.field("observed", r.observed);
    json.key("missing");
    json.begin_array();
    for (const auto& why : r.missing) json.text(why);
    json.end_array();
    const auto real = [&](std::string_view name, double value, bool known) {
      json.key(name);
      if (known)
        json.real(value);
      else
        json.null();
    };
    real("value", r.value, r.known);
    json.field("at_least", r.at_least);
    real("low", r.low, r.interval);
    real("high", r.high, r.upper);
    json.field("requests", r.requests);
    json.key("of");
    json.text_or_null(r.of);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
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
