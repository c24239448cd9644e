#include "analyze/report/diff/diff_tables.h"

#include <algorithm>
#include <string>
#include <vector>

#include "analyze/report/compact/sparkline.h"
#include "analyze/report/compare/compare_words.h"
#include "analyze/report/diff/diff_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"

namespace tailcap::report {
namespace {

using model::difference::Contrast;
using model::difference::Difference;
using model::difference::EdgeDifference;
using model::difference::RouteDifference;
using model::gate::Metric;
using render::Cell;
using render::Column;
using render::Document;
using render::Row;
using render::Table;
using render::Tone;
using MetricKind = Metric::Kind;

constexpr std::size_t kSpark = 12;  // windows of time of a side
constexpr std::size_t kTableRows = 12, kEdges = 40, kSettings = 60, kSettingWidth = 60, kCalleeNameWidth = 90;

// The median of each of kSpark windows; of several points the largest.
std::vector<std::int64_t> windows_of(const std::vector<std::int64_t>& all) {
  const std::size_t n = std::min(kSpark, all.size());
  std::vector<std::int64_t> out(n, compact::kNothing);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::int64_t& window = out[i * n / all.size()];
    window = std::max(window, all[i]);
  }
  return out;
}

// Both sides on one scale, A first.
std::string over_time_text(const RouteDifference& r) {
  std::vector<std::int64_t> values = windows_of(r.facts[0].over_time);
  if (values.empty() || r.facts[1].over_time.empty()) return {};
  values.push_back(compact::kNothing);
  for (const std::int64_t value : windows_of(r.facts[1].over_time)) values.push_back(value);
  return compact::sparkline(values, false);
}

Cell both(std::string a, std::string b, bool there_a = true, bool there_b = true) {
  Cell out(there_a ? std::move(a) : "–");
  out.below.push_back(there_b ? std::move(b) : "–");
  return out;
}

Cell quantiles_cell(const RouteDifference& r, const model::Quantile& a, const model::Quantile& b) {
  Cell out = r.requests[0] > 0 ? quantile_cell(a) : Cell("–");
  if (!out.below.empty()) out.text += " (" + out.below.front() + ")";
  Cell second = r.requests[1] > 0 ? quantile_cell(b) : Cell("–");
  if (!second.below.empty()) second.text += " (" + second.below.front() + ")";
  out.below = {second.text};
  if (out.note.empty()) out.note = second.note;
  out.hint.clear();
  return out;
}

Cell errors_cell(const RouteDifference& r) {
  const Contrast* const c = r.find(MetricKind::errors);
  if (!c || !c->known) return Cell("–");
  Cell out = both(value_text(c->metric, c->level[0]), value_text(c->metric, c->level[1]));
  if (c->changed) out.tone = Tone::alarm;
  return out;
}

// Sure: a change. Not: what could have been found.
std::string own_time_text(const RouteDifference& r, MetricKind kind) {
  const Contrast* const c = r.find(kind);
  if (!c || !c->known) return "–";
  return change_text(c->metric, c->change) + (c->changed ? " *" : "");
}

// What changed first, then what one side does not have.
std::vector<const RouteDifference*> routes_in_order(const Difference& d, bool brief) {
  const bool served = model::difference::any_served(d);
  std::vector<const RouteDifference*> out;
  const auto add = [&](const RouteDifference& r) {
    if (brief && served && r.name.role != model::Role::server) return;
    if (std::ranges::find(out, &r) == out.end()) out.push_back(&r);
  };
  for (const auto& change : d.changes) add(d.routes[change.route]);
  for (const bool one_sided : {true, false})
    for (const RouteDifference& r : d.routes)
      if (r.one_sided() == one_sided) add(r);
  return out;
}

Row route_row(const RouteDifference& r, bool brief) {
  Row row;
  row.cells = {Cell(route_text(r.name)), Cell("A")};
  row.cells[1].below = {"B"};
  row.cells.push_back(
      both(rate_text(r.per_second[0]), rate_text(r.per_second[1]), r.requests[0] > 0, r.requests[1] > 0));
  row.cells.push_back(errors_cell(r));
  row.cells.push_back(quantiles_cell(r, r.facts[0].p50, r.facts[1].p50));
  row.cells.push_back(quantiles_cell(r, r.facts[0].p99, r.facts[1].p99));
  if (brief)
    for (Cell& cell : row.cells) cell.note.clear();
  else if (std::string medians = over_time_text(r); !medians.empty())
    row.cells[0].below.push_back(std::move(medians));
  Cell change(own_time_text(r, MetricKind::own_mean));
  if (const Contrast* own = r.find(MetricKind::own_mean); own && own->known)
    change.below = {change_text(own->metric, own->low) + " … " + change_text(own->metric, own->high)};
  row.cells.push_back(std::move(change));
  if (!r.missing.empty()) row.below.emplace_back(Tone::plain, "not compared: " + r.missing);
  return row;
}

Row contrast_row(std::string name, const Contrast& c) {
  Row row;
  row.cells = {Cell(std::move(name)), value_text(c.metric, c.level[0]), value_text(c.metric, c.level[1])};
  if (!c.known) {
    row.cells[1] = row.cells[2] = Cell("–");
    row.cells.insert(row.cells.end(), {"–", "–"});
    row.cells[3].note = c.missing;
    return row;
  }
  row.cells.emplace_back(change_text(c.metric, c.change) + (c.changed ? " *" : ""));
  row.cells.emplace_back(c.exact ? "exact" : change_text(c.metric, c.low) + " … " + change_text(c.metric, c.high));
  return row;
}

Table contrasts(const char* what) {
  Table table;
  table.columns = {{what, Column::Kind::name}, {"A"}, {"B"}, {"change"}, {"95 % interval", Column::Kind::word}};
  return table;
}

}  // namespace

void add_routes(const Difference& d, std::size_t most, bool brief, Document& out) {
  Table table;
  table.columns = {
      {"route", Column::Kind::name}, {"", Column::Kind::word}, {"rate"}, {"errors"}, {"p50"}, {"p99"}, {"own time"}};
  table.sortable = true;
  const std::vector<const RouteDifference*> routes = routes_in_order(d, brief);
  for (const RouteDifference* r : routes)
    if (table.rows.size() < most) table.rows.push_back(route_row(*r, brief));
  if (table.rows.empty()) return;
  const std::size_t more = d.routes.size() - table.rows.size();
  out.heading(2, "Routes");
  out.add(std::move(table));
  if (brief) {
    out.note("Own time: the mean without waits for a CPU, with its 95 % interval; * a change." +
             (more > 0 ? " " + count_text(more, "more route is", "more routes are") + " in --full." : std::string()));
    return;
  }
  out.note(
      "Percentiles are those of the report, with their 95 % intervals. Own time: the change of the mean duration "
      "without "
      "waits for a CPU; * a change that two recordings of one service do not have by themselves. Below a route: its "
      "median over time, of A and of B, on one scale." +
      (more > 0 ? " " + count_text(more, "more route is", "more routes are") + " in --json." : std::string()));
}

void add_route_tables(const RouteDifference& r, Document& out) {
  Table labels = contrasts("time of a request, on average");
  for (const Contrast& label : r.labels)
    if (labels.rows.size() < kTableRows) labels.rows.push_back(contrast_row(account_text(label.metric.which), label));
  if (r.labels.size() > kTableRows) {
    Contrast rest = r.labels.back();
    rest.level = {};
    for (std::size_t i = kTableRows; i < r.labels.size(); ++i)
      for (std::size_t side = 0; side < 2; ++side) rest.level[side] += r.labels[i].level[side];
    Row row;
    row.cells = {count_text(r.labels.size() - kTableRows, "more label", "more labels"),
                 value_text(rest.metric, rest.level[0]), value_text(rest.metric, rest.level[1]),
                 change_text(rest.metric, rest.level[1] - rest.level[0]), ""};
    labels.rows.push_back(std::move(row));
  }
  out.add(std::move(labels));
  Table numbers = contrasts("a request");
  for (const Contrast& c : r.metrics)
    if (!c.known || c.metric.relative() || c.level[0] > 0 || c.level[1] > 0)
      numbers.rows.push_back(contrast_row(std::string(name_of(c.metric)), c));
  out.add(std::move(numbers));
  if (!r.callees.empty()) {
    Table calls = contrasts("calls of, a request");
    for (const auto& c : r.callees)
      if (calls.rows.size() < kTableRows)
        calls.rows.push_back(contrast_row(shortened(printable(c.callee), kCalleeNameWidth), c.per_request));
    out.add(std::move(calls));
    if (r.callees.size() > kTableRows)
      out.note(count_text(r.callees.size() - kTableRows, "more callee is", "more callees are") + " in --json.");
  }
  if (r.functions.empty()) return;
  Table functions = contrasts("CPU time in, a request");
  for (const auto& f : r.functions)
    if (functions.rows.size() < kTableRows) functions.rows.push_back(contrast_row(printable(f.name), f.time));
  out.add(std::move(functions));
  if (r.functions.size() > kTableRows)
    out.note(count_text(r.functions.size() - kTableRows, "more function is", "more functions are") + " in --json.");
}

void add_edges(const Difference& d, Document& out) {
  if (d.edges.empty()) return;
  Table table;
  table.columns = {{"from", Column::Kind::name},
                   {"to", Column::Kind::name},
                   {"protocol", Column::Kind::word},
                   {"A"},
                   {"B"},
                   {"p50 of A"},
                   {"p50 of B"}};
  for (const EdgeDifference& e : d.edges) {
    if (table.rows.size() == kEdges) break;
    Row row;
    row.cells = {printable(e.from), printable(e.to), printable(e.protocol)};
    for (std::size_t side = 0; side < 2; ++side) {
      Cell cell(e.calls[side] > 0 ? rate_text(e.per_second[side]) : "–");
      if (e.failed[side] > 0) cell.below.push_back(count_text(e.failed[side]) + " failed");
      row.cells.push_back(std::move(cell));
    }
    for (std::size_t side = 0; side < 2; ++side)
      row.cells.push_back(e.calls[side] > 0 ? quantile_cell(e.p50[side]) : Cell("–"));
    if (e.calls[0] == 0 || e.calls[1] == 0)
      row.below.emplace_back(Tone::plain, e.calls[0] == 0 ? "only B has such calls" : "only A has such calls");
    table.rows.push_back(std::move(row));
  }
  out.heading(2, "Who calls which");
  out.add(std::move(table));
  if (d.edges.size() > kEdges) out.note(count_text(d.edges.size() - kEdges) + " more are in --json.");
}

void add_settings(const Difference& d, Document& out) {
  if (d.settings.empty()) return;
  Table table;
  table.columns = {
      {"", Column::Kind::word}, {"what", Column::Kind::name}, {"A", Column::Kind::name}, {"B", Column::Kind::name}};
  const auto value = [](const std::string& text) {
    return text.empty() ? std::string("–") : shortened(printable(text), kSettingWidth);
  };
  for (const auto& s : d.settings) {
    if (table.rows.size() == kSettings) break;
    Row row;
    row.cells = {Cell(name_of(s.kind)), value(s.name), value(s.first), value(s.second)};
    table.rows.push_back(std::move(row));
  }
  out.heading(2, "What differs around it");
  out.add(std::move(table));
}

}  // namespace tailcap::report
