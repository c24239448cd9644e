#include "analyze/model/statistics/binomial.h"

#include <algorithm>
#include <cmath>

namespace tailcap::model {
namespace {

// std::lgamma() writes a variable that all threads share, and routes are studied at the same time.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

}  // namespace

double at_least_by_chance(std::uint64_t hits, std::uint64_t n, double probability) {
  if (hits == 0 || probability >= 1) return 1;
  if (probability <= 0) return 0;
  double sum = 0;
  const auto size = static_cast<double>(n);
  for (std::uint64_t k = hits; k <= n; ++k) {
    const auto count = static_cast<double>(k);
    sum += std::exp(log_gamma(size + 1) - log_gamma(count + 1) - log_gamma(size - count + 1) +
                    count * std::log(probability) + (size - count) * std::log1p(-probability));
  }
  return std::min(1.0, sum);
}

}  // namespace tailcap::model
