// A summary's windows added up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/summary/summary.h"

namespace tailcap::report {

template <class Key, class Cell>
using CellList = std::vector<std::pair<Key, Cell>>;

// Each list with the most requests, or the largest amount, first.
struct SummaryTotals {
  std::uint64_t requests = 0, covered = 0;  // requests: served ones
  CellList<formats::SummaryRoute, formats::RouteCell> routes;
  CellList<formats::SummaryEdge, formats::CallCell> edges;
  CellList<formats::SummaryStatement, formats::CallCell> statements;
  CellList<formats::SummaryFunction, std::uint64_t> functions;
};
SummaryTotals totals_of(const formats::Summary& summary);

// Nothing where no duration lies beyond it.
std::optional<double> percentile_of(const formats::DurationSketch& durations, double q);

}  // namespace tailcap::report
