#include <algorithm>

#include "analyze/report/json/shape.h"
#include "analyze/report/summaries/band_words.h"
#include "analyze/report/summaries/summaries.h"
#include "analyze/report/summaries/words.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace of_scorecard {
namespace {

using model::Scorecard;
using model::ServiceWeek;
using model::SloWeek;
using model::gate::GateVerdict;
using model::gate::Objective;
using model::gate::Slo;
using render::Column;
using render::Document;
using render::Table;
using render::Tone;

std::string factor_text(const std::optional<double>& x) { return x ? burn_text(*x) : "–"; }

std::string value_text(const Objective& o, const std::optional<double>& value) {
  if (!value) return "–";
  return o.metric.share() || o.of_time ? share_text(*value) : nanoseconds_text(*value);
}

std::string slo_text(const Slo& slo) { return name_text(slo.name.empty() ? slo.route : slo.name); }
std::string limit_text(const Objective& o) { return std::string(name_of(o.metric)) + " ≤ " + printable(o.text); }

// Shares that are nearly 1: what is missing has to be seen.
std::string availability_text(const ServiceWeek& w) {
  if (w.judged == 0) return "–";
  if (w.failed == 0) return "100 %";
  char text[40];
  std::snprintf(text, sizeof text, "%.3f %%", std::floor(*w.availability() * 1e5) / 1e3);
  return text;
}

void add_score_weeks(Document& out, const Scorecard& card) {
  out.heading(2, "Weeks");
  Table table;
  table.columns = {{"service", Column::Kind::name},
                   {"week of", Column::Kind::word},
                   {"recorded"},
                   {"days"},
                   {"requests"},
                   {"availability"},
                   {"failed"},
                   {"4xx"},
                   {"p50"},
                   {"p95"},
                   {"p99"}};
  std::string before;
  for (const ServiceWeek& w : card.weeks) {
    table.rows.push_back(
        {{w.service == before ? "" : name_text(w.service), day_text(w.week), share_text(w.covered),
          count_text(w.days) + " of 7", count_text(w.requests), availability_text(w), count_text(w.failed),
          count_text(w.client_errors), nanoseconds_text(w.p50), nanoseconds_text(w.p95), nanoseconds_text(w.p99)}});
    before = w.service;
  }
  out.add(std::move(table));
}

void add_score_limits(Document& out, const Scorecard& card) {
  if (card.slos.empty()) return;
  out.heading(2, "Limits");
  Table table;
  table.columns = {{"verdict", Column::Kind::word},
                   {"limit", Column::Kind::name},
                   {"of", Column::Kind::name},
                   {"service", Column::Kind::name},
                   {"week of", Column::Kind::word},
                   {"value"},
                   {"burn rate"},
                   {"worst hour", Column::Kind::word},
                   {"budget left"}};
  for (const SloWeek& w : card.limits) {
    const Slo& slo = card.slos[w.slo];
    const Objective& o = slo.objectives[w.objective];
    render::Row row;
    row.cells = {
        std::string(name_of(w.verdict)),
        limit_text(o),
        slo_text(slo),
        name_text(w.service),
        w.of_period ? "last " + count_text(static_cast<std::uint64_t>(slo.period / model::gate::kDay)) + " days"
                    : day_text(w.from),
        value_text(o, w.value),
        factor_text(w.burn),
        w.worst_burn ? factor_text(w.worst_burn) + " at " + minute_text(w.worst_hour).substr(5) : "",
        w.budget_left ? (*w.budget_left < 0 ? "−" + percent_text(-*w.budget_left) : share_text(*w.budget_left)) : ""};
    if (w.verdict == GateVerdict::fail) row.cells[0].tone = Tone::alarm;
    if (!w.missing.empty()) row.below.emplace_back(Tone::care, w.missing);
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty()) {
    out.paragraph("No limit means a route of these summaries.", Tone::care);
    return;
  }
  out.add(std::move(table));
  out.note("A burn rate of 1 uses up the error budget exactly; the budget is that of the last period.");
}

struct ScorecardContext {
  const Scorecard& card;
  const Slo& slo(const SloWeek& w) const { return card.slos[w.slo]; }
  const Objective& objective(const SloWeek& w) const { return card.slos[w.slo].objectives[w.objective]; }
};
template <class T>
using ScoreShape = Shape<T, ScorecardContext>;

const ScoreShape<ServiceWeek> kWeek{
    "week",
    {
        {"service", &ServiceWeek::service},
        {"week_ns", &ServiceWeek::week, "its Monday, UTC, since 1970"},
        {"recorded", [](auto& w) { return rounded_share(w.covered); }, "share of the week"},
        {"days", &ServiceWeek::days, "with requests"},
        {"requests", &ServiceWeek::requests, "served"},
        {"judged", &ServiceWeek::judged, "it is known how they ended"},
        {"failed", &ServiceWeek::failed},
        {"client_errors", &ServiceWeek::client_errors},
        {"availability", [](auto& w) { return w.availability(); }, "share of the judged requests that did not fail"},
        {"p50_ns", [](auto& w) { return whole_number(w.p50); }},
        {"p95_ns", [](auto& w) { return whole_number(w.p95); }, "null: fewer than 400 requests"},
        {"p99_ns", [](auto& w) { return whole_number(w.p99); }, "null: fewer than 2,000"},
    }};

const ScoreShape<SloWeek> kLimitWeek{
    "limit_week",
    {
        {"slo",
         [](auto& w, auto& c) { return std::string_view(c.slo(w).name.empty() ? c.slo(w).route : c.slo(w).name); },
         "its name, otherwise its route"},
        {"metric", [](auto& w, auto& c) { return name_of(c.objective(w).metric); }},
        {"limit", [](auto& w, auto& c) { return c.objective(w).limit; }, "ns, or a share"},
        {"service", &SloWeek::service},
        {"period", &SloWeek::of_period, "of the error budget; false: a week"},
        {"from_ns", &SloWeek::from, "since 1970"},
        {"requests", &SloWeek::requests, "that count"},
        {"verdict", one_of<GateVerdict::undecided>(&SloWeek::verdict)},
        {"missing", or_null(&SloWeek::missing), "why it is undecided"},
        {"value", &SloWeek::value, "ns, or a share"},
        {"burn_rate", &SloWeek::burn, "null: the limit is not one of requests, or allows none to fail"},
        {"worst_burn_rate", &SloWeek::worst_burn, "of an hour with 50 requests"},
        {"worst_hour_ns", or_null(&SloWeek::worst_hour), "since 1970"},
        {"burning_since_ns", or_null(&SloWeek::burning_since),
         "of the period: the latest hours in a row with a burn rate above 1, beyond chance; since 1970; null: none"},
        {"burning_to_ns", or_null(&SloWeek::burning_until)},
        {"budget_left", &SloWeek::budget_left, "of the period: a share; negative: more was used"},
    }};

const ScoreShape<Scorecard> kScorecard{"scorecard",
                                       {
                                           {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
                                           {"weeks", kWeek, &Scorecard::weeks, "by service and time"},
                                           {"limits", kLimitWeek, &Scorecard::limits},
                                       }};

}  // namespace
}  // namespace of_scorecard

void add_score(render::Document& out, const model::Scorecard& card) {
  of_scorecard::add_score_weeks(out, card);
  of_scorecard::add_score_limits(out, card);
}

render::Document scorecard_document(const model::Scorecard& card) {
  render::Document out;
  out.heading(1, "tailcap scorecard");
  add_score(out, card);
  return out;
}

std::string scorecard_json(const model::Scorecard& card) {
  return json_of(of_scorecard::kScorecard, card, of_scorecard::ScorecardContext{card});
}
std::string scorecard_schema() {
  return json_schema(of_scorecard::kScorecard, "tailcap scorecard --json",
                     "How far services kept their limits, by week.");
}

}  // namespace tailcap::report
