#include "analyze/tail/slow/gap.h"

#include <algorithm>
#include <cmath>

#include "analyze/model/statistics/normal.h"

namespace tailcap::tail::slow {
namespace {

constexpr double kQuartile = 0.6744897501960817;  // z of the 75th percentile
constexpr std::size_t kLeastValues = 20, kLeastBeyond = 5;
constexpr double kLeastLogGap = 0.7;  // of logarithms: twice as slow
constexpr double kLeastSpread = 0.1, kLeastZ = 0.3;

// Octaves that are compared begin on a grid that does not depend on the data.
constexpr int kPerOctave = 2;
constexpr int kOctaves = 20;  // looked at: a million times the first
constexpr double kPairs = kOctaves * kPerOctave * (kOctaves * kPerOctave - 1) / 2.0;
constexpr double kChance = 0.01;
constexpr std::size_t kExact = 1000;

double log_ratio(std::int64_t above, std::int64_t below) {
  return std::log(static_cast<double>(above) / static_cast<double>(std::max<std::int64_t>(1, below)));
}

// The largest number beyond an empty gap.
std::size_t beyond_empty(std::span<const std::int64_t> sorted) {
  const std::size_t n = sorted.size();
  const std::int64_t q25 = sorted[n / 4], q50 = sorted[n / 2], q75 = sorted[3 * n / 4];
  if (q25 <= 0) return 0;
  const double spread = std::max(kLeastSpread, std::min(log_ratio(q75, q50), log_ratio(q50, q25)) / kQuartile);
  for (std::size_t k = (n - 1) / 2; k >= kLeastBeyond; --k) {
    const double gap = log_ratio(sorted[n - k], sorted[n - k - 1]);
    if (gap < kLeastLogGap) continue;
    const double z = std::max(kLeastZ, model::normal_quantile(1 - static_cast<double>(k) / static_cast<double>(n)));
    if (gap >= std::log(1000.0 * static_cast<double>(n)) * spread / (static_cast<double>(k) * z)) return k;
  }
  return 0;
}

// The number beyond the lowest valley.
std::size_t beyond_valley(std::span<const std::int64_t> sorted) {
  const std::size_t n = sorted.size();
  const std::int64_t from = std::max<std::int64_t>(1, sorted[2 * n / 3]);
  const int first = static_cast<int>(std::ceil(std::log2(static_cast<double>(from)) * kPerOctave));
  std::size_t before[kOctaves * kPerOctave + 2 * kPerOctave + 1];  // values below each edge of the grid
  constexpr int kEdges = static_cast<int>(std::size(before));
  for (int e = 0; e < kEdges; ++e) {
    const double edge = std::exp2(static_cast<double>(first + e) / kPerOctave);
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), edge, [](std::int64_t value, double limit) {
      return static_cast<double>(value) < limit;
    });
    before[e] = static_cast<std::size_t>(at - sorted.begin());
  }
  for (int low = 0; low + 2 * kPerOctave < kEdges; ++low)
    for (int high = low + kPerOctave; high + kPerOctave < kEdges; ++high) {
      const std::size_t valley = before[low + kPerOctave] - before[low],
                        mode = before[high + kPerOctave] - before[high];
      if (mode <= valley || heads(mode + valley, mode) * kPairs > kChance) continue;
      // The cut is the widest step on the way from the valley's first value to the mode's.
      std::size_t cut = before[high];
      double widest = 0;
      for (std::size_t i = std::max<std::size_t>(1, before[low]); i <= before[high] && i < n; ++i)
        if (const double step = log_ratio(sorted[i], sorted[i - 1]); step > widest) {
          widest = step;
          cut = i;
        }
      return n - cut;
    }
  return 0;
}

}  // namespace

double heads(std::size_t n, std::size_t at_least) {
  if (n == 0 || 2 * at_least <= n) return 1;
  const auto all = static_cast<double>(n), least = static_cast<double>(at_least);
  // Beyond this number, Chernoff's upper bound is near enough.
  if (n > kExact) {
    const double up = least / all, down = 1 - up;
    return std::exp(-all * (std::log(2.0) + up * std::log(up) + (down > 0 ? down * std::log(down) : 0)));
  }
  double log_term = all * std::log(0.5);
  for (double i = 1; i <= least; ++i) log_term += std::log((all - i + 1) / i);
  double term = std::exp(log_term), sum = 0;
  for (double k = least; k <= all; ++k) {
    sum += term;
    term *= (all - k) / (k + 1);
  }
  return std::min(1.0, sum);
}

std::size_t beyond_gap(std::span<const std::int64_t> sorted) {
  if (sorted.size() < kLeastValues) return 0;
  const std::size_t beyond = std::max(beyond_empty(sorted), beyond_valley(sorted));
  return 2 * beyond < sorted.size() ? beyond : 0;
}

}  // namespace tailcap::tail::slow
