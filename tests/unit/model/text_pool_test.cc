#include "analyze/model/text_pool.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_map>

#include "analyze/model/wall_clock.h"

namespace tailcap::model {
namespace {

TEST(TextPool, EachTextOnceAndAbsentIsZero) {
  TextPool pool;
  EXPECT_EQ(pool.find("a"), 0u);
  const TextId a = pool.intern("a"), empty = pool.intern("");
  EXPECT_NE(a, 0u);
  EXPECT_NE(empty, 0u);
  EXPECT_NE(a, empty);
  EXPECT_EQ(pool.intern("a"), a);
  EXPECT_EQ(pool.intern(""), empty);
  EXPECT_EQ(pool[a], "a");
  EXPECT_EQ(pool[empty], "");
  EXPECT_EQ(pool[0], "");
  EXPECT_EQ(pool.size(), 2u);
}

TEST(TextPool, AppendedTextsAreNeverShared) {
  TextPool pool;
  const TextId a = pool.append("x"), b = pool.append("x"), c = pool.intern("x");
  EXPECT_NE(a, b);
  EXPECT_NE(b, c);
  EXPECT_EQ(pool.find("x"), c);
  for (int i = 0; i < 1000; ++i) pool.intern(std::to_string(i));
  EXPECT_EQ(pool.intern("x"), c);
  EXPECT_EQ(pool[a], "x");
}

TEST(TextPool, ManyAndLongTextsStayValid) {
  TextPool pool;
  std::unordered_map<std::string, TextId> truth;
  for (int i = 0; i < 20000; ++i) {
    std::string text = "/item/" + std::to_string(i);
    if (i % 1000 == 0) text += std::string(100'000, 'x');
    truth[text] = pool.intern(text);
  }
  const std::string_view first = pool[1];
  EXPECT_EQ(pool.size(), truth.size());
  for (const auto& [text, id] : truth) {
    ASSERT_EQ(pool[id], text);
    ASSERT_EQ(pool.find(text), id);
  }
  EXPECT_EQ(pool[1].data(), first.data());
}

TEST(WallClock, ConvertsByTheReadingBefore) {
  WallClock clock;
  using formats::time_from;
  EXPECT_FALSE(clock.known());
  clock.add(time_from(1'000), 10'000'001'000, {});
  clock.add(time_from(2'000), 10'000'002'500, formats::Duration{40});  // 500 ns of drift: no step
  EXPECT_TRUE(clock.steps().empty());
  EXPECT_EQ(clock.realtime(time_from(500)), 10'000'000'500);
  EXPECT_EQ(clock.realtime(time_from(3'000)), 10'000'003'000);
  clock.add(time_from(5'000), 15'000'005'000, {});
  ASSERT_EQ(clock.steps().size(), 1u);
  EXPECT_EQ(clock.steps()[0].from, time_from(2'000));
  EXPECT_EQ(clock.steps()[0].to, time_from(5'000));
  EXPECT_EQ(clock.steps()[0].by, 5'000'000'000);
  EXPECT_EQ(clock.realtime(time_from(4'999)), 10'000'004'999);
  EXPECT_EQ(clock.realtime(time_from(6'000)), 15'000'006'000);
  EXPECT_EQ(clock.error(), formats::Duration{40});
}

TEST(WallClock, CraftedReadingsDoNotOverflow) {
  WallClock clock;
  clock.add(formats::time_from(INT64_MIN), INT64_MIN, {});
  clock.add(formats::time_from(0), INT64_MAX, {});
  clock.add(formats::time_from(INT64_MAX), INT64_MIN, {});
  clock.realtime(formats::time_from(INT64_MAX));
  clock.realtime(formats::time_from(INT64_MIN));
}

}  // namespace
}  // namespace tailcap::model
