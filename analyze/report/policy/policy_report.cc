#include "analyze/report/policy/policy_report.h"

#include <algorithm>
#include <cmath>

#include "analyze/report/compare/compare_words.h"
#include "analyze/report/policy/policy_actions.h"
#include "analyze/report/policy/policy_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using model::gate::Metric;
using model::policy::BreakerOutcome;
using model::policy::Firing;
using model::policy::FormulaResult;
using model::policy::FormulaWindow;
using model::policy::PolicyEstimate;
using model::policy::PolicyOutcome;
using model::policy::SamplingOutcome;
using model::policy::SamplingVariant;
using render::Cell;
using render::Column;
using render::Table;
using render::Tone;

constexpr std::size_t kPathWidth = 60;

Duration ns(double value) { return Duration{std::llround(value)}; }

std::string percent(double share) { return ground::share_text(share); }

// The estimate with the truth and the difference below it.
Cell figure(std::optional<double> truth, std::optional<double> estimate, std::string (*text)(double), bool points) {
  Cell cell(estimate ? text(*estimate) : "–");
  if (!truth) return cell;
  cell.below.push_back("true " + text(*truth));
  if (estimate && points)
    cell.below.push_back(change_text({Metric::Kind::errors, 0}, *estimate - *truth));
  else if (estimate && *truth > 0)
    cell.below.push_back(change_text({Metric::Kind::p50, 0}, *estimate / *truth - 1));
  return cell;
}

std::string rounded_count(double n) { return count_text(static_cast<std::uint64_t>(std::llround(n))); }
std::string rounded_duration(double value) { return duration_text(ns(value)); }

render::Row estimate_row(const PolicyEstimate& e) {
  render::Row row;
  row.strong = !e.route;
  Cell kept(count_text(e.kept));
  kept.below.push_back("of " + count_text(e.requests));
  row.cells = {e.route ? route_text(*e.route) : std::string("all"), kept,
               figure(e.truth.count, e.estimate.count, rounded_count, false),
               figure(e.truth.errors, e.estimate.errors, percent, true)};
  for (std::size_t i = 0; i < e.truth.quantiles.size(); ++i)
    row.cells.push_back(figure(e.truth.quantiles[i], e.estimate.quantiles[i], rounded_duration, false));
  if (e.never > 0)
    row.below.emplace_back(Tone::care, count_text(e.never, "request", "requests") +
                                           " had no chance to be kept: the estimates do not cover them");
  return row;
}

// What decides where no entry of adapt applies.
std::string base_text(const model::policy::PolicySampling& sampling) {
  if (sampling.formula) return "by the formula " + std::string(name_of(*sampling.formula));
  return (sampling.routes.empty() ? "" : "as listed by route, otherwise ") + percent(sampling.rate);
}

std::string applied(const PolicyOutcome& o, const model::policy::RateChange& change) {
  const auto& sampling = *o.policy.sampling;
  std::string out;
  for (std::size_t i = 0; i < change.applies.size(); ++i) {
    if (!change.applies[i]) continue;
    const auto& a = sampling.adapt[i];
    out += (out.empty() ? "" : ", ") + percent(a.rate) + (a.route.empty() ? "" : " of " + printable(a.route)) +
           " while " + printable(o.policy.conditions[a.when].name);
  }
  return out.empty() ? base_text(sampling) : out + ", otherwise " + base_text(sampling);
}

void conditions(render::Document& out, const PolicyOutcome& o, std::size_t most) {
  if (o.policy.conditions.empty()) return;
  out.heading(2, "When would conditions have fired?");
  Table table;
  table.columns = {{"condition", Column::Kind::name}, {"fired"},   {"resolved"}, {"for"},
                   {"then", Column::Kind::word},      {"requests"}};
  for (std::size_t c = 0; c < o.policy.conditions.size(); ++c) {
    const auto& condition = o.policy.conditions[c];
    const std::string name = printable(condition.name) + ": " + limits_text(condition.limits);
    std::size_t shown = 0, all = 0;
    for (const Firing& f : o.firings) {
      if (f.condition != c || ++all > most) continue;
      ++shown;
      render::Row row;
      std::string values;
      for (std::size_t i = 0; i < f.values.size(); ++i)
        values += (i == 0 ? "" : ", ") +
                  (f.values[i] ? policy_value_text(condition.limits[i], *f.values[i]) : std::string("–"));
      const bool resolved = formats::known(f.to);
      row.cells = {shown == 1 ? name : std::string(),
                   offset_text(f.from, o.first),
                   resolved ? offset_text(f.to, o.first) : "not",
                   (resolved ? "" : "≥ ") + duration_text((resolved ? f.to : o.last) - f.from),
                   values,
                   count_text(f.requests)};
      table.rows.push_back(std::move(row));
    }
    if (all == 0) table.rows.push_back({.cells = {name, "never"}});
    if (all > shown)
      table.rows.back().below.emplace_back(Tone::plain, "and " + count_text(all - shown, "more time", "more times"));
  }
  out.add(std::move(table));
}

void sampling(render::Document& out, const PolicyOutcome& o, std::size_t most) {
  if (!o.sampling) return;
  const SamplingOutcome& s = *o.sampling;
  out.heading(2, "What would have been kept?");
  Table rates;
  rates.columns = {{"from"}, {"rate", Column::Kind::name}};
  for (std::size_t i = 0; i < std::min(most, s.changes.size()); ++i)
    rates.rows.push_back({.cells = {offset_text(s.changes[i].from, o.first), applied(o, s.changes[i])}});
  if (s.changes.size() > most)
    rates.rows.back().below.emplace_back(Tone::plain,
                                         "and " + count_text(s.changes.size() - most, "more change", "more changes"));
  out.add(std::move(rates));
  out.heading(2, "How far are estimates from the truth?");
  Table table;
  table.columns = {{"route", Column::Kind::name}, {"kept"}, {"requests"}, {"errors"}, {"p50"}, {"p95"}, {"p99"}};
  table.rows.push_back(estimate_row(s.all));
  for (std::size_t i = 0; i < std::min(most, s.routes.size()); ++i) table.rows.push_back(estimate_row(s.routes[i]));
  if (s.routes.size() > most)
    table.rows.back().below.emplace_back(Tone::plain,
                                         "and " + count_text(s.routes.size() - most, "more route", "more routes"));
  out.add(std::move(table));
  out.note(
      "Estimates weigh each kept request by the inverse of its chance to be kept. A percentile that too few kept "
      "requests reach is not estimated.");
  out.heading(2, "Which slow or failed requests would have been missed?");
  const PolicyEstimate& all = s.all;
  out.paragraph("Of " + count_text(all.slow, "slow request", "slow requests") + " " +
                count_text(all.slow - all.slow_kept) + ", and of " +
                count_text(all.failed, "failed one", "failed ones") + " " + count_text(all.failed - all.failed_kept) +
                ".");
  if (s.missed.empty()) return;
  Table missed;
  missed.columns = {{"start"}, {"id", Column::Kind::word},     {"why", Column::Kind::word}, {"status"}, {"duration"},
                    {"rate"},  {"request", Column::Kind::name}};
  for (const auto& m : s.missed)
    missed.rows.push_back({.cells = {offset_text(m.start, o.first), id_text(m.id),
                                     m.slow && m.failed ? "slow, failed"
                                     : m.slow           ? "slow"
                                                        : "failed",
                                     m.status != 0 ? std::to_string(m.status) : "–",
                                     m.duration >= 0 ? duration_text(Duration{m.duration}) : "–", percent(m.rate),
                                     shortened(printable(m.what), kPathWidth)}});
  if (s.missed_total > s.missed.size())
    missed.rows.back().below.emplace_back(Tone::plain, "and " + count_text(s.missed_total - s.missed.size()) + " more");
  out.add(std::move(missed));
}

void add_result(render::Row& row, const FormulaWindow& window, const FormulaResult& result) {
  Cell rate(percent(result.rate));
  rate.below.push_back(count_text(result.kept) + " of " + count_text(window.begun));
  if (!result.known)
    rate.note =
        "not known: the window before does not decide it: there is none, too few requests ended in it, or how many did "
        "is "
        "not known. The rate of the policy applies.";
  Cell missed(count_text(result.slow_missed) + " of " + count_text(window.slow) + " slow");
  missed.below.push_back(count_text(result.failed_missed) + " of " + count_text(window.failed) + " failed");
  row.cells.push_back(std::move(rate));
  row.cells.push_back(std::move(missed));
}

std::string variant_text(const PolicyOutcome& o, const SamplingVariant& variant) {
  const auto& sampling = *o.policy.sampling;
  if (variant.kind == SamplingVariant::Kind::policy) return "this policy";
  if (variant.kind == SamplingVariant::Kind::adapt) return "rate and adapt, no formula";
  const std::string name(name_of(variant.kind));
  return name + (sampling.adapt.empty() && name == name_of(*sampling.formula) ? ", this policy" : "");
}

void formulas(render::Document& out, const PolicyOutcome& o, std::size_t most) {
  if (!o.sampling || !o.policy.sampling->formula) return;
  const SamplingOutcome& s = *o.sampling;
  out.heading(2, "Which rates do the formulas compute?");
  Table table;
  table.columns = {{"from"}, {"route", Column::Kind::name}, {"ended"}, {"errors"}, {"p95"}};
  for (const auto formula : model::policy::kRateFormulas) {
    table.columns.push_back({std::string(name_of(formula))});
    table.columns.push_back({"missed"});
  }
  const std::size_t shown = std::min(most, s.windows.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const FormulaWindow& w = s.windows[i];
    render::Row row;
    row.cells = {offset_text(w.from, o.first), printable(w.route), count_text(w.figures.requests),
                 w.figures.errors ? percent(*w.figures.errors) : "–",
                 w.figures.p95 ? rounded_duration(*w.figures.p95) : "–"};
    for (const FormulaResult& result : w.by_formula) add_result(row, w, result);
    table.rows.push_back(std::move(row));
  }
  if (s.windows.size() > shown)
    table.rows.back().below.emplace_back(Tone::plain, "and " + count_text(s.windows.size() - shown) + " more");
  out.add(std::move(table));
  out.note(
      "A window is 10 s of a route. The requests that ended in it decide the rate of the next one. Below a rate: how "
      "many of the requests that began in the window it would have kept.");
  Table variants;
  variants.columns = {{"sampling", Column::Kind::name}, {"kept"}, {"missed"}, {"errors"}, {"p50"}, {"p95"}, {"p99"}};
  for (const SamplingVariant& v : s.variants) {
    render::Row row = estimate_row(v.all);
    row.strong = false;
    row.cells[0] = Cell(variant_text(o, v));
    row.cells[2] = Cell(count_text(v.all.slow - v.all.slow_kept) + " slow");
    row.cells[2].below.push_back(count_text(v.all.failed - v.all.failed_kept) + " failed");
    variants.rows.push_back(std::move(row));
  }
  out.heading(2, "What would other rates have kept and missed?");
  out.add(std::move(variants));
}

void breakers(render::Document& out, const PolicyOutcome& o, std::size_t most) {
  if (o.breakers.empty()) return;
  out.heading(2, "What would circuit breakers have rejected?");
  Table table;
  table.columns = {{"breaker", Column::Kind::name}, {"at"}, {"becomes", Column::Kind::word}};
  std::vector<std::string> sums;
  for (std::size_t b = 0; b < o.breakers.size(); ++b) {
    const BreakerOutcome& one = o.breakers[b];
    const std::string name = printable(o.policy.breakers[b].name);
    for (std::size_t i = 0; i < std::min(most, one.changes.size()); ++i) {
      std::string state(name_of(one.changes[i].to));
      std::replace(state.begin(), state.end(), '_', ' ');
      table.rows.push_back({.cells = {i == 0 ? name : std::string(), offset_text(one.changes[i].at, o.first), state}});
    }
    if (one.changes.size() > most)
      table.rows.back().below.emplace_back(
          Tone::plain, "and " + count_text(one.changes.size() - most, "more change", "more changes"));
    if (one.changes.empty()) table.rows.push_back({.cells = {name, "never", ""}});
    sums.push_back(name + ": " + count_text(one.rejected) + " of " + count_text(one.requests, "request", "requests") +
                   " rejected; " + count_text(one.rejected_failed) + " of these had failed as recorded" +
                   (one.rejected_unknown > 0 ? ", of " + count_text(one.rejected_unknown) + " it is not known" : "") +
                   ". It was not closed for " + duration_text(one.not_closed) + ".");
  }
  out.add(std::move(table));
  out.list(sums);
}

std::string policy_summary(const PolicyOutcome& o) {
  std::string out = count_text(o.firings.size(), "firing", "firings") + " of " +
                    count_text(o.policy.conditions.size(), "condition", "conditions");
  if (o.sampling)
    out += "; " + count_text(o.sampling->all.kept) + " of " +
           count_text(o.sampling->all.requests, "request", "requests") + " kept (" +
           share_text(o.sampling->all.kept, o.sampling->all.requests) + "), " + count_text(o.sampling->missed_total) +
           " slow or failed ones missed";
  return out;
}

}  // namespace

render::Document policy_document(const PolicyOutcome& o, std::size_t most) {
  render::Document out;
  out.heading(1, "tailcap policy");
  render::Facts facts;
  facts.verdict = render::Facts::Line{Tone::plain, "result", policy_summary(o)};
  if (o.left_out > 0)
    facts.lines.push_back(
        {Tone::care, "left out",
         count_text(o.left_out, "request", "requests") + " whose beginning, end or outcome is not known"});
  if (o.weight != 1)
    facts.lines.push_back({Tone::care, "connections",
                           o.weight > 1 ? "1 of " + rounded_count(o.weight) +
                                              " is recorded: rates and numbers in windows are estimates of all"
                                        : "a part is recorded, and how many are not is not known: neither are rates "
                                          "and numbers in windows"});
  facts.boxed = true;
  out.add(std::move(facts));
  conditions(out, o, most);
  sampling(out, o, most);
  formulas(out, o, most);
  breakers(out, o, most);
  add_policy_actions(out, o, most);
  return out;
}

}  // namespace tailcap::report
