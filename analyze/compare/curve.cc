#include "analyze/compare/curve.h"

#include <algorithm>
#include <cmath>

namespace tailcap::compare {

std::vector<std::pair<std::int64_t, double>> curve_of(std::span<const model::gate::RouteRun* const> runs) {
  constexpr int kPoints = 200;
  std::vector<std::int64_t> sorted;
  for (const model::gate::RouteRun* run : runs)
    for (const auto& request : run->requests)
      if (const std::int64_t ns = std::max(request.duration, request.at_least); ns > 0) sorted.push_back(ns);
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::pair<std::int64_t, double>> out;
  if (sorted.empty()) return out;
  const double n = static_cast<double>(sorted.size());
  for (int i = 0; i <= kPoints; ++i) {
    // From all of them to one, by equal factors.
    const auto above = static_cast<std::size_t>(std::pow(n, 1 - static_cast<double>(i) / kPoints));
    const std::size_t place = sorted.size() - std::clamp<std::size_t>(above, 1, sorted.size());
    if (!out.empty() && out.back().first >= sorted[place]) continue;
    const auto longer = sorted.end() - std::upper_bound(sorted.begin(), sorted.end(), sorted[place]);
    out.emplace_back(sorted[place], static_cast<double>(longer) / n);
  }
  return out;
}

}  // namespace tailcap::compare
