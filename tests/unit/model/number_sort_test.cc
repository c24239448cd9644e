#include "ground/number_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "ground/sort_by_number.h"

namespace tailcap {
namespace {

// Numbers of every size, some of them several times.
std::vector<std::int64_t> numbers(std::size_t n, std::mt19937_64& random) {
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < n; ++i)
    out.push_back(static_cast<std::int64_t>(random()) >> std::uniform_int_distribution(0, 63)(random));
  return out;
}

TEST(NumberSort, SortsAsComparingDoes) {
  std::mt19937_64 random(7);
  for (const std::size_t n : {0, 1, 2, 17, 511, 512, 20'000, (1 << 20) + 1}) {
    std::vector<std::int64_t> all = numbers(n, random);
    std::vector<ground::Ranked> ranked;
    for (std::uint32_t i = 0; i < n; ++i) ranked.push_back({all[i], static_cast<std::uint32_t>(n) - i});
    std::vector<ground::Ranked> expected = ranked;
    std::sort(expected.begin(), expected.end(),
              [](const auto& a, const auto& b) { return a.by != b.by ? a.by < b.by : a.place < b.place; });
    ground::sort_ranked(ranked);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(std::int64_t{ranked[i].by}, std::int64_t{expected[i].by});  // they are packed
      ASSERT_EQ(ranked[i].place, expected[i].place);
    }
    ground::sort_numbers(all);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  }
}

TEST(NumberSort, SortsByUnsignedNumbersBeyondHalf) {
  struct Thing {
    std::uint64_t number;
  };
  std::mt19937_64 random(11);
  std::vector<Thing> things(5000);
  for (Thing& t : things) t.number = random();
  ground::sort_by_number(things, [](const Thing& t) { return t.number; });
  EXPECT_TRUE(
      std::is_sorted(things.begin(), things.end(), [](const Thing& a, const Thing& b) { return a.number < b.number; }));
}

}  // namespace
}  // namespace tailcap
