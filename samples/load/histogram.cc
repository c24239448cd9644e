#include "samples/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tailcap::samples {
namespace {

// Values below 2^bits have a bucket each; above, each power of two is divided into 2^bits buckets.
std::size_t bucket_of(std::uint64_t value, int bits) {
  const int width = static_cast<int>(std::bit_width(value));
  if (width <= bits) return static_cast<std::size_t>(value);
  const int shift = width - bits - 1;
  return (static_cast<std::size_t>(shift + 1) << bits) + static_cast<std::size_t>((value >> shift) - (1u << bits));
}

std::uint64_t upper_border(std::size_t bucket, int bits) {
  const std::size_t group = bucket >> bits;
  if (group == 0) return bucket;
  const std::uint64_t step = (bucket & ((std::size_t{1} << bits) - 1)) + (std::uint64_t{1} << bits);
  return ((step + 1) << (group - 1)) - 1;
}

}  // namespace

void Histogram::add(std::int64_t ns) {
  ns = std::max<std::int64_t>(ns, 0);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(ns), kStepBits)];
  ++count_;
  sum_ += ns;
  max_ = std::max(max_, ns);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

std::int64_t Histogram::quantile(double q) const {
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank && seen > 0) return std::min(static_cast<std::int64_t>(upper_border(i, kStepBits)), max_);
  }
  return max_;
}

}  // namespace tailcap::samples
