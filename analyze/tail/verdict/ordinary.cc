#include "analyze/tail/verdict/ordinary.h"

#include <algorithm>
#include <cmath>

#include "analyze/model/statistics/normal.h"

namespace tailcap::tail::verdict {
namespace {

using model::normal_below;
using model::normal_quantile;

constexpr double kQuartile = 0.6744897501960817;  // z of the 75th percentile

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

double poisson_at_least(std::uint64_t count, double mean) {
  return count == 0 ? 1 : 1 - poisson_below(count - 1, mean);
}

std::pair<double, double> poisson_interval(std::uint64_t count) {
  return {count == 0 ? 0 : mean_with(count - 1, 0.975), mean_with(count, 0.025)};
}

}  // namespace tailcap::tail::verdict
