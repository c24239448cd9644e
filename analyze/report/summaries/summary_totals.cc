#include "analyze/report/summaries/summary_totals.h"

#include <algorithm>

#include "analyze/model/request.h"

namespace tailcap::report {
namespace {

using formats::add_cell;
using formats::amount_of;
using formats::saturated;
using formats::SummaryWindow;

template <class Key, class Cell>
CellList<Key, Cell> cells_total(const formats::Summary& s, std::map<Key, Cell> SummaryWindow::*cells) {
  std::map<Key, Cell> sums;
  for (const auto& [start, window] : s.windows)
    for (const auto& [key, cell] : window.*cells) add_cell(sums[key], cell);
  CellList<Key, Cell> out(sums.begin(), sums.end());
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return amount_of(a.second) > amount_of(b.second); });
  return out;
}

}  // namespace

SummaryTotals totals_of(const formats::Summary& summary) {
  SummaryTotals out;
  out.routes = cells_total(summary, &SummaryWindow::routes);
  out.edges = cells_total(summary, &SummaryWindow::edges);
  out.statements = cells_total(summary, &SummaryWindow::statements);
  out.functions = cells_total(summary, &SummaryWindow::functions);
  std::ranges::stable_partition(out.functions, [](const auto& f) { return !f.first.waited; });
  for (const auto& [start, window] : summary.windows) out.covered = saturated(out.covered, window.covered);
  for (const auto& [route, cell] : out.routes)
    if (route.role == model::name_of(model::Role::server)) out.requests = saturated(out.requests, cell.requests);
  return out;
}

std::optional<double> percentile_of(const formats::DurationSketch& durations, double q) {
  if (static_cast<double>(durations.count()) * (1 - q) < 1 - 1e-9) return std::nullopt;
  return durations.quantile(q);
}

}  // namespace tailcap::report
