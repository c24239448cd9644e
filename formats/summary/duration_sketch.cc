#include "formats/summary/duration_sketch.h"

#include <algorithm>
#include <cmath>

namespace tailcap::formats {
namespace {

constexpr double kPerDoubling = 1 << DurationSketch::kSchema;

std::uint64_t times_ns(std::int64_t ns, std::uint64_t times) {
  const auto each = static_cast<std::uint64_t>(ns);
  return each != 0 && times > UINT64_MAX / each ? UINT64_MAX : each * times;
}

}  // namespace

std::int32_t DurationSketch::bucket_of(std::int64_t ns) {
  return static_cast<std::int32_t>(std::ceil(std::log2(static_cast<double>(ns) * 1e-9) * kPerDoubling));
}

double DurationSketch::upper_bound(std::int32_t bucket) { return std::exp2(bucket / kPerDoubling) * 1e9; }

void DurationSketch::add(std::int64_t ns, std::uint64_t times) {
  if (times == 0) return;
  sum_ = saturated(sum_, times_ns(ns, times));
  if (ns <= 0) {
    zero_ = saturated(zero_, times);
    return;
  }
  const std::int32_t bucket = bucket_of(ns);
  const auto at = std::ranges::lower_bound(buckets_, bucket, {}, &Bucket::first);
  if (at != buckets_.end() && at->first == bucket)
    at->second = saturated(at->second, times);
  else
    buckets_.insert(at, {bucket, times});
}

void DurationSketch::add(const DurationSketch& other) {
  zero_ = saturated(zero_, other.zero_);
  sum_ = saturated(sum_, other.sum_);
  if (other.buckets_.empty()) return;
  std::vector<Bucket> merged;
  merged.reserve(buckets_.size() + other.buckets_.size());
  auto a = buckets_.begin();
  auto b = other.buckets_.begin();
  while (a != buckets_.end() || b != other.buckets_.end()) {
    if (b == other.buckets_.end() || (a != buckets_.end() && a->first < b->first)) {
      merged.push_back(*a++);
    } else if (a == buckets_.end() || b->first < a->first) {
      merged.push_back(*b++);
    } else {
      merged.emplace_back(a->first, saturated(a->second, b->second));
      ++a, ++b;
    }
  }
  buckets_ = std::move(merged);
}

bool DurationSketch::append(std::int32_t bucket, std::uint64_t count) {
  if (bucket < kLowest || bucket > kHighest || count == 0) return false;
  if (!buckets_.empty() && buckets_.back().first >= bucket) return false;
  buckets_.emplace_back(bucket, count);
  return true;
}

std::uint64_t DurationSketch::count() const {
  std::uint64_t n = zero_;
  for (const Bucket& b : buckets_) n = saturated(n, b.second);
  return n;
}

DurationSketch::Place DurationSketch::place_of(double q) const {
  const std::uint64_t n = count();
  if (n == 0) return {};
  // 0.95 * 20 is a hair above 19 in binary: rounding noise must not move the rank.
  const double wanted = std::clamp(std::ceil(q * static_cast<double>(n) - 1e-9), 1.0, static_cast<double>(n));
  double below = static_cast<double>(zero_);
  if (below >= wanted) return {0, 0, 1};
  for (const Bucket& b : buckets_) {
    const auto here = static_cast<double>(b.second);
    if (below + here >= wanted)
      return {upper_bound(b.first - 1), upper_bound(b.first), std::clamp((wanted - below) / here, 0.0, 1.0)};
    below += here;
  }
  return {upper_bound(buckets_.back().first - 1), upper_bound(buckets_.back().first), 1};  // no double holds the counts
}

std::optional<double> DurationSketch::quantile(double q) const {
  const Place at = place_of(q);
  if (at.into < 0) return std::nullopt;
  return at.high == 0 ? 0 : 2 * at.low * at.high / (at.low + at.high);  // equally far from both, as a ratio
}

std::optional<double> DurationSketch::interpolated(double q) const {
  const Place at = place_of(q);
  if (at.into < 0) return std::nullopt;
  return at.high == 0 ? 0 : at.low * std::pow(at.high / at.low, at.into);
}

std::pair<std::uint64_t, std::uint64_t> DurationSketch::longer_than(double ns) const {
  std::uint64_t least = 0, most = 0;
  for (const Bucket& b : buckets_) {
    if (upper_bound(b.first - 1) >= ns) least = saturated(least, b.second);
    if (upper_bound(b.first) > ns) most = saturated(most, b.second);
  }
  return {least, most};
}

}  // namespace tailcap::formats
