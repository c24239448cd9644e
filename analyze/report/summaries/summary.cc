#include <algorithm>
#include <set>

#include "analyze/report/summaries/summaries.h"
#include "analyze/report/summaries/summary_totals.h"
#include "analyze/report/summaries/words.h"

namespace tailcap::report {
namespace {

using formats::CallCell;
using formats::RouteCell;
using formats::Summary;
using render::Column;
using render::Document;
using render::Table;
using render::Tone;

constexpr std::size_t kLabelsShown = 3;

render::Facts summary_head(const Summary& s, const SummaryTotals& totals) {
  render::Facts facts;
  std::set<std::string> hosts;
  std::uint64_t lost = 0, incomplete = 0;
  for (const auto& c : s.captures) {
    hosts.insert(c.host);
    lost = formats::saturated(lost, c.lost);
    incomplete += !c.whole;
  }
  facts.lines.push_back({Tone::plain, "captures",
                         count_text(s.captures.size(), "capture", "captures") + " of " +
                             count_text(hosts.size(), "host", "hosts") + ", " +
                             count_text(totals.requests, "request", "requests") + " served"});
  if (!s.windows.empty())
    facts.lines.push_back(
        {Tone::plain, "time",
         utc_text(s.windows.begin()->first, 0) + " to " + utc_text(s.windows.rbegin()->first + s.window, 0) + ", in " +
             count_text(s.windows.size(), "window", "windows") + " of " + duration_text(Duration{s.window}) + "; " +
             nanoseconds_text(static_cast<double>(totals.covered)) + " recorded"});
  if (incomplete > 0)
    facts.lines.push_back({Tone::care, "missing",
                           count_text(incomplete, "capture is", "captures are") + " incomplete, " +
                               count_text(lost, "event", "events") + " lost: counts are lower bounds"});
  facts.boxed = true;
  return facts;
}

std::string main_labels_text(const RouteCell& cell) {
  std::vector<std::pair<std::uint64_t, std::string>> labels;
  std::uint64_t all = 0;
  for (const auto& [label, times] : cell.labels) {
    labels.emplace_back(times.sum(), label);
    all = formats::saturated(all, times.sum());
  }
  std::ranges::stable_sort(labels, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string out;
  for (std::size_t i = 0; i < std::min(kLabelsShown, labels.size()); ++i)
    out += (i == 0 ? "" : ", ") + printable(labels[i].second) + " " +
           share_text(static_cast<double>(labels[i].first), static_cast<double>(all));
  return out;
}

void add_summary_routes(Document& out, const SummaryTotals& totals, std::size_t most) {
  out.heading(2, "Routes");
  Table table;
  table.columns = {{"service", Column::Kind::name},
                   {"role", Column::Kind::word},
                   {"route", Column::Kind::name},
                   {"requests"},
                   {"failed"},
                   {"p50"},
                   {"p95"},
                   {"p99"},
                   {"time", Column::Kind::name}};
  for (std::size_t i = 0; i < std::min(most, totals.routes.size()); ++i) {
    const auto& [route, cell] = totals.routes[i];
    const formats::DurationSketch all = cell.all();
    table.rows.push_back({{name_text(route.service), printable(route.role),
                           name_text(route.method.empty() ? route.route : route.method + " " + route.route),
                           count_text(cell.requests), share_text(cell.failed, cell.judged),
                           nanoseconds_text(percentile_of(all, 0.5)), nanoseconds_text(percentile_of(all, 0.95)),
                           nanoseconds_text(percentile_of(all, 0.99)), main_labels_text(cell)}});
  }
  out.add(std::move(table));
  more_rows(out, totals.routes.size(), most);
  out.note("Percentiles are at most 2.2 % away from the exact ones.");
}

template <class List, class Names>
void add_calls(Document& out, const char* heading, const List& list, std::vector<Column> names, std::size_t most,
               Names cells) {
  if (list.empty()) return;
  out.heading(2, heading);
  Table table;
  table.columns = std::move(names);
  for (const char* title : {"calls", "failed", "p50", "p99"}) table.columns.push_back({title});
  for (std::size_t i = 0; i < std::min(most, list.size()); ++i) {
    const CallCell& cell = list[i].second;
    render::Row row{.cells = cells(list[i].first)};
    for (std::string text :
         {count_text(cell.requests), share_text(cell.failed, cell.requests),
          nanoseconds_text(percentile_of(cell.durations, 0.5)), nanoseconds_text(percentile_of(cell.durations, 0.99))})
      row.cells.emplace_back(std::move(text));
    table.rows.push_back(std::move(row));
  }
  out.add(std::move(table));
  more_rows(out, list.size(), most);
}

void add_functions(Document& out, const SummaryTotals& totals, std::size_t most) {
  if (totals.functions.empty()) return;
  out.heading(2, "Functions of requests");
  Table table;
  table.columns = {{"service", Column::Kind::name}, {"function", Column::Kind::name}, {"on a CPU"}, {"waited"}};
  for (std::size_t i = 0; i < std::min(most, totals.functions.size()); ++i) {
    const auto& [function, amount] = totals.functions[i];
    table.rows.push_back({{name_text(function.service), name_text(function.function),
                           function.waited ? "" : count_text(amount, "sample", "samples"),
                           function.waited ? nanoseconds_text(static_cast<double>(amount)) : ""}});
  }
  out.add(std::move(table));
  more_rows(out, totals.functions.size(), most);
}

}  // namespace

void more_rows(Document& out, std::size_t all, std::size_t most) {
  if (all > most) out.note(count_text(all - most, "more row", "more rows") + " not shown here.");
}

Document summary_document(const Summary& s, std::size_t most) {
  const SummaryTotals totals = totals_of(s);
  Document out;
  out.heading(1, "tailcap summarise");
  out.add(summary_head(s, totals));
  add_summary_routes(out, totals, most);
  add_calls(out, "Calls between services", totals.edges, {{"from", Column::Kind::name}, {"to", Column::Kind::name}},
            most, [](const auto& e) {
              return std::vector<render::Cell>{name_text(e.from), name_text(e.to)};
            });
  add_calls(out, "Statements", totals.statements, {{"store", Column::Kind::word}, {"statement", Column::Kind::name}},
            most, [](const auto& x) {
              return std::vector<render::Cell>{name_text(x.store), name_text(x.statement)};
            });
  add_functions(out, totals, most);
  if (!s.environment.empty()) {
    out.heading(2, "Environment");
    Table table;
    table.columns = {{"", Column::Kind::word}, {"", Column::Kind::name}};
    for (const auto& [name, value] : s.environment) table.rows.push_back({{printable(name), printable(value)}});
    out.add(std::move(table));
  }
  return out;
}

}  // namespace tailcap::report
