#include "analyze/model/statistics/whole_parts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tailcap::model {

std::vector<std::int64_t> whole_parts(std::span<const double> values) {
  std::vector<std::int64_t> out;
  for (const double v : values) out.push_back(static_cast<std::int64_t>(std::floor(v)));
  const auto total = static_cast<std::int64_t>(std::llround(std::accumulate(values.begin(), values.end(), 0.0)));
  std::int64_t left = total - std::accumulate(out.begin(), out.end(), std::int64_t{0});
  std::vector<std::size_t> order(out.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return values[a] - std::floor(values[a]) > values[b] - std::floor(values[b]);
  });
  for (std::size_t i = 0; left > 0 && i < order.size(); ++i, --left) ++out[order[i]];
  return out;
}

}  // namespace tailcap::model
