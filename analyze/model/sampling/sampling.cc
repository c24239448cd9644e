#include "analyze/model/sampling/sampling.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "analyze/model/sampling/take.h"
#include "analyze/model/statistics/t_distribution.h"

namespace tailcap::model {
namespace {

constexpr std::uint32_t kMostOf = 65536;
constexpr double kLeastClusters = 20, kLeastFreedom = 20;  // fewer have no interval that can be trusted

// False: the share is not known.
bool read_share(std::string_view text, Sampling& out) {
  if (text == "none") return out.none = true;
  std::uint32_t of = 0, seed = 0;
  if (!take(text, "1/") || !take_number(text, of) || of < 2 || of > kMostOf) return false;
  out.of = of;
  if (text.empty()) return true;
  if (!take(text, " seed ") || !take_number(text, seed) || !text.empty()) return false;
  out.seed = seed;
  return true;
}

}  // namespace

Sampling sampling_of(const std::vector<std::pair<std::string, std::string>>& notes) {
  Sampling out;
  bool said = false;
  for (const auto& [key, value] : notes) {
    if (key.starts_with("tailcap.cut.")) out.chosen = true;
    if (key != kSamplingNote) continue;
    Sampling one;
    if (!read_share(value, one) || (said && (one.of != out.of || one.none != out.none))) {
      out.mixed = true;
    } else {
      out.of = one.of;
      out.none = one.none;
      if (!said) out.seed = one.seed;
      if (out.seed != one.seed) out.seed.reset();
    }
    said = true;
  }
  if (out.mixed) {
    out.of = 1;
    out.none = false;
    out.seed.reset();
  }
  return out;
}

bool read_ends(std::string_view value, Sampling& sampling) {
  std::uint64_t recorded = 0, left_out = 0;
  if (!take_number(value, recorded) || !take(value, " recorded, ") || !take_number(value, left_out) ||
      value != " left out")
    return false;
  sampling.ends_known = true;
  sampling.ends_recorded = recorded;
  sampling.ends_left_out = left_out;
  return true;
}

ClusterSupport support_of(std::span<const double> contributions) {
  double largest = 0;
  for (const double c : contributions) largest = std::max(largest, std::abs(c));
  ClusterSupport out;
  if (!(largest > 0)) return out;
  double sum = 0, squares = 0, fourth = 0;
  for (const double c : contributions) {
    const double x = std::abs(c) / largest;
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  out.effective = sum * sum / squares;
  out.freedom = std::min(out.effective - 1, 2 * squares * squares / fourth);
  return out;
}

bool ClusterSupport::enough() const { return effective >= kLeastClusters && freedom >= kLeastFreedom - 1; }
double ClusterSupport::factor() const { return t_quantile(0.975, std::max(freedom, 1.0)); }

Estimate whole_of(std::span<const double> sizes, std::uint32_t of) {
  Estimate out;
  double sum = 0, squares = 0;
  for (const double size : sizes) {
    sum += size;
    squares += size * size;
  }
  const double n = static_cast<double>(of);
  out.value = n * sum;
  if (!(sum > 0)) {
    out.reason = "none was recorded";
    return out;
  }
  const ClusterSupport support = support_of(sizes);
  if (!support.enough()) {
    out.reason = support.effective < kLeastClusters ? "too few connections were recorded"
                                                    : "a few of the recorded connections have most of them";
    return out;
  }
  // Horvitz and Thompson; each connection is chosen with probability 1/n, independently of the others. The interval is
  // symmetric in the logarithm: the smaller estimates are also those with too small a variance.
  const double deviation = std::sqrt(n * (n - 1) * squares) / out.value;
  out.interval = true;
  out.low = std::max(sum, out.value * std::exp(-support.factor() * deviation));
  out.high = out.value * std::exp(support.factor() * deviation);
  return out;
}

}  // namespace tailcap::model
