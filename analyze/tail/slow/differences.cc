#include "analyze/tail/slow/differences.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analyze/model/statistics/whole_parts.h"

namespace tailcap::tail::slow {
namespace {

constexpr double kIncidenceQuantile = 0.99;  // of the typical requests

std::vector<double> typical_means(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns) {
  std::vector<double> means(columns.size()), sums(columns.size());
  for (const CohortCell& cell : cohorts.cells) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::size_t i = cohorts.typical_from; i < cohorts.typical_to; ++i)
      if (const Item& item = items[cohorts.order[i]]; cell.holds(item)) columns.add(item, sums);
    const double weight =
        static_cast<double>(cell.slow) / static_cast<double>(cohorts.slow) / static_cast<double>(cell.typical);
    for (std::size_t c = 0; c < means.size(); ++c) means[c] += sums[c] * weight;
  }
  return means;
}

// The time that 99 % of the typical requests do not exceed, for each column.
std::vector<double> usual_limits(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns) {
  std::vector<std::vector<double>> times(columns.size());  // without zeros: most requests have few labels
  std::vector<double> sums(columns.size());
  for (std::size_t i = cohorts.typical_from; i < cohorts.typical_to; ++i) {
    std::fill(sums.begin(), sums.end(), 0.0);
    columns.add(items[cohorts.order[i]], sums);
    for (std::size_t c = 0; c < sums.size(); ++c)
      if (sums[c] > 0) times[c].push_back(sums[c]);
  }
  const std::size_t n = cohorts.typical_to - cohorts.typical_from;
  const std::size_t above = n - static_cast<std::size_t>(std::ceil(kIncidenceQuantile * static_cast<double>(n) - 1e-9));
  std::vector<double> limits(columns.size());
  for (std::size_t c = 0; c < limits.size(); ++c) {
    if (times[c].size() <= above) continue;
    const auto at = times[c].end() - 1 - static_cast<std::ptrdiff_t>(above);
    std::nth_element(times[c].begin(), at, times[c].end());
    limits[c] = *at;
  }
  return limits;
}

}  // namespace

void find_differences(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns,
                      model::TailStudy& out) {
  const std::vector<double> typical = typical_means(items, cohorts, columns),
                            limits = usual_limits(items, cohorts, columns);
  const double n = static_cast<double>(cohorts.slow);
  std::vector<double> slow(columns.size()), own(columns.size());
  std::vector<model::LabelDifference> labels(columns.size());
  std::vector<double> inferred(columns.size()), sampled(columns.size());
  for (std::size_t i = 0; i < cohorts.slow; ++i) {
    const Item& item = items[cohorts.nth_slowest(i)];
    std::fill(own.begin(), own.end(), 0.0);
    columns.add(item, own);
    std::size_t most = 0;
    for (std::size_t c = 0; c < own.size(); ++c) {
      slow[c] += own[c];
      labels[c].slow_with += own[c] > limits[c];
      if (own[c] - typical[c] > own[most] - typical[most]) most = c;
    }
    ++labels[most].slow_dominant;
    for (const model::AccountPart& p : item.parts) {
      if (p.evidence == model::Evidence::inferred) inferred[columns.of(p.label)] += static_cast<double>(p.time);
      if (p.evidence == model::Evidence::sampled) sampled[columns.of(p.label)] += static_cast<double>(p.time);
    }
  }
  for (double& s : slow) s /= n;
  const auto slow_whole = model::whole_parts(slow), typical_whole = model::whole_parts(typical);
  for (std::size_t c = 0; c < labels.size(); ++c) {
    labels[c].label = columns.label(c);
    labels[c].slow = slow_whole[c];
    labels[c].typical = typical_whole[c];
    labels[c].slow_inferred = std::min(slow_whole[c], static_cast<std::int64_t>(std::llround(inferred[c] / n)));
    labels[c].slow_sampled =
        std::min(slow_whole[c] - labels[c].slow_inferred, static_cast<std::int64_t>(std::llround(sampled[c] / n)));
  }
  out.slow_mean = std::accumulate(slow_whole.begin(), slow_whole.end(), std::int64_t{0});
  out.typical_mean = std::accumulate(typical_whole.begin(), typical_whole.end(), std::int64_t{0});
  out.labels = std::move(labels);
}

}  // namespace tailcap::tail::slow
