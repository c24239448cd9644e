// Durations counted in buckets whose bounds are powers of 2^(1/16): what a quantile needs, in some hundred bytes.
//
// A quantile is at most kError away from the exact one, whatever the durations are (DDSketch, VLDB 2019; the native
// histograms of Prometheus have the same buckets). Merging adds counts: in any order, with the same result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace tailcap::formats {

class DurationSketch {
 public:
  using Bucket = std::pair<std::int32_t, std::uint64_t>;  // its number, and how many durations are in it

  static constexpr int kSchema = 4;            // Prometheus' word: 2^4 buckets for each doubling, each 4.4 % wide
  static constexpr double kError = 0.0217;     // (w - 1) / (w + 1) for w = 2^(1/16), of the value
  static constexpr std::size_t kMost = 1'010;  // buckets: from 1 ns to 2^63 ns
  static constexpr std::int32_t kLowest = -479, kHighest = 532;  // their numbers

  // Bucket n holds durations in (2^((n - 1) / 16), 2^(n / 16)] seconds. ns > 0.
  static std::int32_t bucket_of(std::int64_t ns);
  static double upper_bound(std::int32_t bucket);  // ns

  void add(std::int64_t ns, std::uint64_t times = 1);  // not negative
  void add(const DurationSketch& other);
  // What a file says. False: the bucket cannot be, or does not come after those that are there.
  bool append(std::int32_t bucket, std::uint64_t count);
  void set_rest(std::uint64_t zero, std::uint64_t sum) { zero_ = zero, sum_ = sum; }

  std::uint64_t count() const;
  std::uint64_t zero() const { return zero_; }                     // durations of 0
  std::uint64_t sum() const { return sum_; }                       // ns, exact; 2^64 - 1: or more
  const std::vector<Bucket>& buckets() const { return buckets_; }  // ascending, none empty
  bool empty() const { return zero_ == 0 && buckets_.empty(); }

  // ns: the smallest duration with at least such a share at or below it. None: it is empty.
  std::optional<double> quantile(double q) const;
  // The same, by its place among the durations of its bucket: smoother where many are near, and up to 4.4 % away where
  // they are not.
  std::optional<double> interpolated(double q) const;
  // How many durations are longer than this: at least, at most. What is in the bucket of the limit can be either.
  std::pair<std::uint64_t, std::uint64_t> longer_than(double ns) const;

  bool operator==(const DurationSketch&) const = default;

 private:
  struct Place {  // of a quantile: the bounds of its bucket, and how far into it; -1: there is none
    double low = 0, high = 0, into = -1;
  };
  Place place_of(double q) const;

  std::vector<Bucket> buckets_;
  std::uint64_t zero_ = 0, sum_ = 0;
};

// Sums of counts that stay at the largest number: the same in any order.
constexpr std::uint64_t saturated(std::uint64_t a, std::uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

}  // namespace tailcap::formats
