#include "analyze/partition/history/numbered.h"

#include <gtest/gtest.h>

#include <random>

namespace tailcap::partition {
namespace {

TEST(Numbered, KeepsNumbersWhenWhatIsBeforeIsForgotten) {
  Numbered<std::uint64_t> squares;
  EXPECT_TRUE(squares.empty());
  EXPECT_FALSE(squares.has(1));
  std::mt19937_64 random(3);
  for (std::uint64_t i = 1; i <= 20'000; ++i) {
    squares.push_back(i * i);
    ASSERT_EQ(squares.end(), i + 1);
    if (random() % 100 != 0) continue;
    squares.forget_before(squares.first() + random() % (squares.size() + 1));
    ASSERT_EQ(squares.size(), squares.end() - squares.first());
    for (std::uint64_t n = squares.first(); n < squares.end(); ++n) ASSERT_EQ(squares[n], n * n);
    ASSERT_FALSE(squares.has(squares.first() - 1) || squares.has(squares.end()));
  }
  squares.forget_before(squares.end());
  EXPECT_TRUE(squares.empty());
  squares.push_back(7);
  EXPECT_EQ(squares[20'001], 7u);
}

TEST(Numbered, SearchFindsTheFirst) {
  Numbered<int> evens;
  for (int i = 1; i <= 1000; ++i) evens.push_back(2 * i);
  evens.forget_before(300);
  const auto least = [&](int x) { return evens.search(evens.first(), evens.end(), [x](int e) { return e >= x; }); };
  EXPECT_EQ(least(0), 300u);
  EXPECT_EQ(least(601), 301u);
  EXPECT_EQ(least(1024), 512u);
  EXPECT_EQ(least(2001), evens.end());
  EXPECT_EQ(evens.search(400, 410, [](int) { return false; }), 410u);
}

}  // namespace
}  // namespace tailcap::partition
