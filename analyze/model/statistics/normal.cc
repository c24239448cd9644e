#include "analyze/model/statistics/normal.h"

#include <cmath>

namespace tailcap::model {

double normal_below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// By bisection: few are needed.
double normal_quantile(double q) {
  double low = -10, high = 10;
  for (int i = 0; i < 60; ++i) (normal_below((low + high) / 2) < q ? low : high) = (low + high) / 2;
  return (low + high) / 2;
}

}  // namespace tailcap::model
