#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analyze/report/compare/compare.h"
#include "analyze/report/compare/compare_words.h"
#include "analyze/report/compare/curves.h"
#include "analyze/report/compare/functions.h"
#include "analyze/report/compare/gate_words.h"
#include "analyze/report/compare/noticed.h"
#include "analyze/report/compare/software.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using model::gate::AccountTable;
using model::gate::Comparison;
using model::gate::Count;
using model::gate::GateEstimate;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::Metric;
using model::gate::RouteComparison;
using render::Cell;
using render::Column;
using render::Document;
using render::Table;
using render::Tone;

constexpr std::size_t kRoutes = 20, kLabels = 12, kSoftwareLines = 5;

std::string method_text(const Comparison& c) {
  const auto tests = c.gates.size() - static_cast<std::size_t>(std::ranges::count_if(c.gates, exact_by_default));
  char level[32];
  std::snprintf(level, sizeof level, "%.2g %%", 100 * c.options.level);
  std::string out = std::string(name_of(c.method)) + ": 90 % intervals, one-sided " + level + " over " +
                    count_text(tests, "gate", "gates") + " (Holm)" + (c.options.strict ? ", strict" : "");
  if (c.options.screened == 0) return out;
  if (c.confirming == 0) return out + "; fresh runs have to confirm what is flagged";
  return out + "; what fails was shown again by " + count_text(c.confirming, "fresh run", "fresh runs") + " a side";
}

void add_verdict(Document& out, const Comparison& c) {
  render::Facts facts;
  facts.boxed = true;
  facts.verdict = {tone_of(c.verdict), "verdict", verdict_text(c)};
  if (!c.same_version.empty())
    facts.lines.push_back({Tone::care, c.options.self ? "noise" : "same version", same_version_text(c)});
  for (const std::string& obstacle : c.obstacles) facts.lines.push_back({Tone::care, "not comparable", obstacle});
  for (const std::string& why : c.uneven)
    facts.lines.push_back({Tone::care, c.obstacles.empty() ? "exact counts only" : "not comparable", why});
  facts.lines.push_back({Tone::plain, "runs", runs_text(c)});
  facts.lines.push_back({Tone::plain, "load", load_text(c)});
  facts.lines.push_back({Tone::plain, "method", method_text(c)});
  for (const std::string& line : software_lines(c.software, kSoftwareLines))
    facts.lines.push_back({Tone::plain, "software", line});
  for (const std::string& remark : c.remarks) facts.lines.push_back({Tone::plain, "remark", remark});
  out.add(std::move(facts));
}

Cell with_below(std::string text, std::string below) {
  Cell cell(std::move(text));
  if (!below.empty()) cell.below.push_back(std::move(below));
  return cell;
}

void estimate_cells(render::Row& row, const Metric& metric, const GateEstimate& e) {
  row.cells.emplace_back(level_text(metric, e, e.base, e.base_at_least));
  row.cells.emplace_back(level_text(metric, e, e.fresh, e.fresh_at_least));
  if (!e.known) {
    row.cells.insert(row.cells.end(), {"–", "–"});
    return;
  }
  row.cells.push_back(with_below(difference_text(metric, e), e.exact ? "" : interval_text(metric, e)));
  row.cells.emplace_back(e.exact ? "exact" : change_text(metric, e.mde));
}

void add_gates(Document& out, const Comparison& c) {
  if (c.gates.empty()) return;
  Table table;
  table.columns = {{"verdict", Column::Kind::word},
                   {"gate", Column::Kind::name},
                   {"route", Column::Kind::name},
                   {"base"},
                   {"new"},
                   {"change"},
                   {"detectable"}};
  std::vector<std::string> sentences;
  for (const GateResult* g : gates_by_verdict(c)) {
    render::Row row;
    row.cells = {verdict_cell(*g), gate_text(*g),
                 g->found ? route_text(c.routes[g->route].name) : printable(g->gate.route)};
    estimate_cells(row, g->gate.metric, g->estimate);
    table.rows.push_back(std::move(row));
    if (g->verdict != GateVerdict::pass) sentences.push_back(gate_sentence(c, *g));
  }
  out.heading(2, "Gates");
  if (!table.rows.empty()) out.add(std::move(table));
  out.list(sentences);
  if (const std::string text = unchanged_text(c); !text.empty()) out.note(text);
  std::vector<std::string> left_out;
  for (const std::string& what : c.not_gated) left_out.push_back("Not judged: " + printable(what));
  out.list(left_out);
}

void add_noticed(Document& out, const Comparison& c) {
  std::vector<std::string> lines;
  for (const Noticed& one : noticed_of(c)) lines.push_back(one.text);
  if (lines.empty()) return;
  out.heading(2, "Also changed");
  out.list(lines);
  out.note("Advisory: at most 5 % of such lines are expected to be wrong, and none is a verdict.");
}

void add_accounts(Document& out, const std::string& title, const AccountTable& t) {
  if (!t.known) return;
  Table table;
  table.columns = {{"label", Column::Kind::name}, {"base"}, {"new"}, {"change"}, {"90 % interval", Column::Kind::word}};
  const auto ns = [](std::int64_t n) { return static_cast<double>(n); };
  std::int64_t base = t.base, fresh = t.fresh;
  const Metric label{Metric::Kind::label, 0};
  const auto add = [&](const std::string& name, std::int64_t b, std::int64_t n, const std::string& interval) {
    render::Row row;
    row.cells = {name, value_text(label, ns(b)), value_text(label, ns(n)), change_text(label, ns(n - b)), interval};
    table.rows.push_back(std::move(row));
  };
  for (std::size_t i = 0; i < std::min(kLabels, t.rows.size()); ++i) {
    const auto& row = t.rows[i];
    add(account_text(row.account), row.base, row.fresh, row.estimate.known ? interval_text(label, row.estimate) : "–");
    base -= row.base;
    fresh -= row.fresh;
  }
  if (t.rows.size() > kLabels) add(std::to_string(t.rows.size() - kLabels) + " more labels", base, fresh, "");
  add("all", t.base, t.fresh, "");
  table.rows.back().strong = true;
  out.heading(3, title);
  out.add(std::move(table));
}

void add_route(Document& out, const RouteComparison& route) {
  out.heading(2, route_text(route.name));
  if (!route.absent.empty()) {
    out.paragraph("Not compared: " + route.absent + ".", Tone::care);
    return;
  }
  const auto span = [](const std::vector<std::uint64_t>& n) {
    const auto [least, most] = std::minmax_element(n.begin(), n.end());
    return count_text(*least) + (*least == *most ? "" : " to " + count_text(*most));
  };
  std::string about = "Requests per run: " + span(route.base_requests) + " of the base, " + span(route.fresh_requests) +
                      " of the new runs";
  if (route.compared > 0) about += "; the first " + count_text(route.compared) + " of each run are compared";
  about += ". The slowest 1 % came in " + count_text(route.bursts, "burst", "bursts");
  if (route.decorrelation > 0) about += "; requests count as independent after " + seconds_text(route.decorrelation);
  out.paragraph(about + ".");
  Table table;
  table.columns = {{"per request", Column::Kind::name}, {"base"}, {"new"}, {"change"}, {"detectable"}};
  for (const auto& metric : route.metrics) {
    // What many programs or recordings do not have is left out where it is not known; gates and JSON say why.
    const bool optional =
        metric.metric.kind == Metric::Kind::count && metric.metric.which >= static_cast<std::uint8_t>(Count::waits);
    if (optional && !metric.estimate.known) continue;
    render::Row row;
    row.cells = {Cell(name_of(metric.metric))};
    estimate_cells(row, metric.metric, metric.estimate);
    if (!metric.estimate.known) row.cells[3].note = metric.estimate.missing;
    if (metric.estimate.slack > 0 && metric.metric.kind == Metric::Kind::count)
      row.cells[0].note =
          (model::gate::of_calls(metric.metric.which) ? std::string("calls without a known parent")
                                                      : std::string("requests whose count is not known")) +
          " could add up to " + change_text(metric.metric, metric.estimate.slack);
    table.rows.push_back(std::move(row));
  }
  out.add(std::move(table));
  add_curves(out, {{{"base", "all runs", &route.base_curve}, {"new", "all runs", &route.fresh_curve}}},
             "Share of requests that took longer than a duration, all runs of a side together.");
  add_accounts(out, "Where the time of a request went, on average", route.all);
  add_accounts(out, "Where the time of the slowest 1 % went", route.slow);
}

}  // namespace

Document compare_document(const Comparison& c, const std::vector<SlowPair>& slow) {
  Document out;
  out.heading(1, "tailcap compare");
  add_verdict(out, c);
  add_gates(out, c);
  add_noticed(out, c);
  add_functions(c, out);
  add_slow_pairs(slow, out);
  for (std::size_t i = 0; i < std::min(kRoutes, c.routes.size()); ++i) add_route(out, c.routes[i]);
  if (c.routes.size() > kRoutes)
    out.note(std::to_string(c.routes.size() - kRoutes) + " more routes are not shown; --json has them.");
  if (c.software.size() > kSoftwareLines) add_software(c.software, out);
  out.note(
      "Intervals are 90 % intervals of the change from run to run. Detectable: the increase that 80 % of such "
      "comparisons would find.");
  return out;
}

}  // namespace tailcap::report
