// Counts durations from 1 to 2^63 ns in buckets of at most 1/128 relative width, for percentiles without stored values.
#pragma once

#include <array>
#include <cstdint>

namespace tailcap::samples {

class Histogram {
 public:
  void add(std::int64_t ns);
  void add(const Histogram& other);
  std::uint64_t count() const { return count_; }
  std::int64_t max() const { return max_; }
  double mean() const { return count_ ? static_cast<double>(sum_) / static_cast<double>(count_) : 0; }
  // The smallest bucket border with at least q of all values at or below it; 0 when empty.
  std::int64_t quantile(double q) const;

 private:
  static constexpr int kStepBits = 7;
  std::array<std::uint64_t, (64 - kStepBits + 1) << kStepBits> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t sum_ = 0, max_ = 0;
};

}  // namespace tailcap::samples
