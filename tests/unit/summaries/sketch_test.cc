#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

#include "formats/summary/duration_sketch.h"
#include "formats/summary/packed_sketch.h"

namespace tailcap::formats {
namespace {

// Durations as services have them, and such as no service has.
enum class Kind { log_normal, two_humps, heavy, equal, one_to_nine };

std::int64_t drawn(Kind kind, std::mt19937_64& random) {
  std::lognormal_distribution<double> usual(std::log(5e6), 0.6), slow(std::log(4e8), 0.1);
  std::uniform_real_distribution<double> share(1e-9, 1);
  switch (kind) {
    case Kind::log_normal:
      return static_cast<std::int64_t>(usual(random));
    case Kind::two_humps:
      return static_cast<std::int64_t>(share(random) < 0.02 ? slow(random) : usual(random));
    case Kind::heavy:
      return static_cast<std::int64_t>(1e6 / std::pow(share(random), 1.2));
    case Kind::equal:
      return 1'000'000;
    case Kind::one_to_nine:
      return static_cast<std::int64_t>(1 + random() % 9);
  }
  return 0;
}

// 1,000,000 values; 10,000,000 where TAILCAP_DAILY is set.
std::size_t values() { return std::getenv("TAILCAP_DAILY") ? 10'000'000 : 1'000'000; }

TEST(DurationSketch, QuantilesAreWithinTheirBoundOfExactOnes) {
  for (const Kind kind : {Kind::log_normal, Kind::two_humps, Kind::heavy, Kind::equal, Kind::one_to_nine}) {
    std::mt19937_64 random(7);
    std::vector<std::int64_t> exact;
    DurationSketch sketch;
    for (std::size_t i = 0; i < values(); ++i) {
      exact.push_back(drawn(kind, random));
      sketch.add(exact.back());
    }
    std::ranges::sort(exact);
    ASSERT_EQ(sketch.count(), exact.size());
    double worst = 0;
    for (const double q : {0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0}) {
      const auto rank = static_cast<std::size_t>(
          std::clamp(std::ceil(q * static_cast<double>(exact.size()) - 1e-9), 1.0, static_cast<double>(exact.size())));
      const auto at = static_cast<double>(exact[rank - 1]);
      worst = std::max(worst, std::abs(*sketch.quantile(q) / at - 1));
      EXPECT_LE(std::abs(*sketch.quantile(q) / at - 1), DurationSketch::kError) << q << " of " << at;
      EXPECT_LE(std::abs(std::log(*sketch.interpolated(q) / at)), std::log(2) / 16 + 1e-9) << q << " of " << at;
    }
    RecordProperty("worst_error_" + std::to_string(static_cast<int>(kind)), std::to_string(worst));
    EXPECT_LE(packed(sketch).size(), 4 * sketch.buckets().size() + 20);
  }
}

TEST(DurationSketch, HowManyAreLongerIsBetweenItsBounds) {
  std::mt19937_64 random(3);
  std::vector<std::int64_t> exact;
  DurationSketch sketch;
  for (int i = 0; i < 100'000; ++i) sketch.add(exact.emplace_back(drawn(Kind::two_humps, random)));
  for (const double limit : {1e6, 5e6, 5'000'001.0, 2e8, 4e8, 1e10}) {
    const auto longer = static_cast<std::uint64_t>(
        std::ranges::count_if(exact, [&](std::int64_t ns) { return static_cast<double>(ns) > limit; }));
    const auto [least, most] = sketch.longer_than(limit);
    EXPECT_LE(least, longer) << limit;
    EXPECT_GE(most, longer) << limit;
  }
}

TEST(DurationSketch, TheSumOfPartsIsThatOfAll) {
  std::mt19937_64 random(5);
  DurationSketch all;
  std::vector<DurationSketch> parts(7);
  for (int i = 0; i < 50'000; ++i) {
    const std::int64_t ns = drawn(Kind::heavy, random);
    all.add(ns);
    parts[random() % parts.size()].add(ns);
  }
  for (int round = 0; round < 20; ++round) {
    std::ranges::shuffle(parts, random);
    DurationSketch left, right, sum;
    for (std::size_t i = 0; i < parts.size(); ++i) (i < 3 ? left : right).add(parts[i]);
    sum.add(right);
    sum.add(left);
    EXPECT_EQ(sum, all);
    EXPECT_EQ(packed(sum), packed(all));
  }
}

TEST(DurationSketch, EdgesOfItsRange) {
  DurationSketch sketch;
  for (const std::int64_t ns : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, INT64_MAX}) sketch.add(ns);
  EXPECT_EQ(sketch.zero(), 1u);
  EXPECT_EQ(sketch.count(), 4u);
  EXPECT_GE(sketch.buckets().front().first, DurationSketch::kLowest);
  EXPECT_LE(sketch.buckets().back().first, DurationSketch::kHighest);
  EXPECT_EQ(*sketch.quantile(0.25), 0);
  DurationSketch back;
  ASSERT_TRUE(unpack(packed(sketch), back));
  EXPECT_EQ(back, sketch);
  EXPECT_FALSE(DurationSketch{}.quantile(0.5));
  sketch.add(INT64_MAX, UINT64_MAX);  // counts and sums stay at the largest number
  EXPECT_EQ(sketch.sum(), UINT64_MAX);
  EXPECT_EQ(sketch.count(), UINT64_MAX);
}

TEST(DurationSketch, ASketchHasOneForm) {
  DurationSketch sketch, back;
  sketch.add(1'000'000, 300);
  const std::string bytes = packed(sketch);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(unpack(bytes.substr(0, i), back) && packed(back) != bytes.substr(0, i)) << i;
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ 1 << bit);
      EXPECT_TRUE(!unpack(changed, back) || packed(back) == changed) << i << " " << bit;
    }
  }
  EXPECT_FALSE(unpack(std::string_view("\x80\x00\x00\x01\x01", 5), back));  // a longer form of 0
}

}  // namespace
}  // namespace tailcap::formats
