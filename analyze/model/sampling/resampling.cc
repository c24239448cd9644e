#include "analyze/model/sampling/resampling.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <unordered_map>

#include "analyze/model/sampling/sampling.h"
#include "analyze/model/statistics/t_distribution.h"

namespace tailcap::model {
namespace {

constexpr double kMostBlocks = 50;   // more only cost time
constexpr double kBlockSeconds = 5;  // as for quantiles: how long neighbours resemble each other
constexpr double kMissed = 0.05;     // by an interval

std::size_t blocks_for(std::size_t n, double correlation, double seconds) {
  const double requests = static_cast<double>(n);
  double length =
      std::max(std::cbrt(requests), 1.5 * correlation * std::max(1.0, std::cbrt(requests / correlation) / 2));
  if (seconds > 0) length = std::max(length, requests * kBlockSeconds / seconds);
  return static_cast<std::size_t>(std::clamp(requests / length, double{kLeastBlocks}, kMostBlocks));
}

// The share beyond each end of a percentile interval that makes it as wide as Student's with so few blocks.
double expanded_tail(std::size_t blocks) {
  const double df = static_cast<double>(blocks) - 1;
  const double t = t_quantile(1 - kMissed / 2, df) * std::sqrt((df + 1) / df);
  return 0.5 * std::erfc(t / std::sqrt(2.0));
}

}  // namespace

TimeBlocks blocks_in_time(std::size_t n, double correlation, double seconds) {
  TimeBlocks out;
  out.count = blocks_for(n, correlation, seconds);
  assert(n >= out.count);
  for (std::size_t i = 0; i < n; ++i) out.of.push_back(static_cast<std::uint32_t>(i * out.count / n));
  return out;
}

TimeBlocks groups_of_connections(const std::vector<std::uint32_t>& connections) {
  std::unordered_map<std::uint32_t, double> sizes;
  for (const std::uint32_t c : connections) ++sizes[c];
  std::vector<double> all;
  for (const auto& [connection, size] : sizes) all.push_back(size);
  std::sort(all.begin(), all.end());
  TimeBlocks out;
  if (!support_of(all).enough()) return out;
  out.count = std::min(static_cast<std::size_t>(kMostBlocks), sizes.size());
  // At random, so that groups differ as connections do.
  for (const std::uint32_t c : connections) out.of.push_back(static_cast<std::uint32_t>(Draws(c).below(out.count)));
  return out;
}

void draw(Draws& draws, std::vector<double>& times) {
  std::fill(times.begin(), times.end(), 0.0);
  for (std::size_t b = 0; b < times.size(); ++b) ++times[draws.below(times.size())];
}

DrawnInterval interval_of(std::vector<double>& values, std::size_t blocks) {
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size()), tail = expanded_tail(blocks);
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(std::clamp(std::floor(share * n), 0.0, n - 1))];
  };
  DrawnInterval out;
  out.low = at(tail);
  out.high = at(1 - tail);
  const auto above = static_cast<double>(values.end() - std::upper_bound(values.begin(), values.end(), 0.0));
  const auto below = static_cast<double>(std::lower_bound(values.begin(), values.end(), 0.0) - values.begin());
  out.p = std::min(1.0, 2 * (n - std::max(above, below) + 1) / (n + 1));
  return out;
}

}  // namespace tailcap::model
