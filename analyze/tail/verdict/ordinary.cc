#include "analyze/tail/verdict/ordinary.h"

#include <algorithm>
#include <cmath>

namespace tailcap::tail::verdict {
namespace {

constexpr double kQuartile = 0.6744897501960817;  // z of the 75th percentile
constexpr std::size_t kLeastValues = 20, kLeastSeparated = 5;
constexpr double kLeastLogGap = 0.7;  // of logarithms: twice as slow
constexpr double kLeastSpread = 0.1, kLeastZ = 0.3;

double normal_below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// By bisection: few are needed.
double normal_quantile(double q) {
  double low = -10, high = 10;
  for (int i = 0; i < 60; ++i) (normal_below((low + high) / 2) < q ? low : high) = (low + high) / 2;
  return (low + high) / 2;
}

double poisson_below(std::uint64_t count, double mean) {
  double term = std::exp(-mean), sum = 0;
  if (term == 0) return normal_below((static_cast<double>(count) + 0.5 - mean) / std::sqrt(mean));
  for (std::uint64_t k = 0; k <= count; ++k) {
    sum += term;
    term *= mean / static_cast<double>(k + 1);
  }
  return std::min(sum, 1.0);
}

// The mean for which `count` or fewer come out with this probability.
double mean_with(std::uint64_t count, double probability) {
  double low = 0, high = 2 * static_cast<double>(count) + 20;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (poisson_below(count, middle) > probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double ordinary_mean_beyond(double from, double q25, double q50, double q75) {
  if (q50 <= 0) return 0;
  const double upper = std::log(q75 / q50), lower = q25 > 0 ? std::log(q50 / q25) : upper;
  const double spread = std::max(0.0, std::min(upper, lower)) / kQuartile;
  return q50 * std::exp(spread * spread / 2) * normal_below(spread - normal_quantile(from)) / (1 - from);
}

std::size_t separated(std::span<const double> sorted) {
  const std::size_t n = sorted.size();
  if (n < kLeastValues) return 0;
  const double q25 = sorted[n / 4], q50 = sorted[n / 2], q75 = sorted[3 * n / 4];
  if (q25 <= 0) return 0;
  const double spread = std::max(kLeastSpread, std::min(std::log(q75 / q50), std::log(q50 / q25)) / kQuartile);
  std::size_t best = 0;
  double widest = 0;
  for (std::size_t k = kLeastSeparated; 2 * k < n; ++k) {
    const double gap = std::log(sorted[n - k] / sorted[n - k - 1]);
    if (gap < kLeastLogGap || gap <= widest) continue;
    const double z = std::max(kLeastZ, normal_quantile(1 - static_cast<double>(k) / static_cast<double>(n)));
    if (gap < std::log(1000.0 * static_cast<double>(n)) * spread / (static_cast<double>(k) * z)) continue;
    widest = gap;
    best = k;
  }
  return best;
}

std::pair<double, double> poisson_interval(std::uint64_t count) {
  return {count == 0 ? 0 : mean_with(count - 1, 0.975), mean_with(count, 0.025)};
}

}  // namespace tailcap::tail::verdict
