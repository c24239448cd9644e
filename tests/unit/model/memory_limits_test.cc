// Memory limits of cgroups: which were reached in some time.
#include "analyze/model/machine/memory_limits.h"

#include <gtest/gtest.h>

namespace tailcap::model {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::optional<MemoryLimits::Pressure> over(const MemoryLimits& limits, std::int64_t from, std::int64_t to) {
  const MemoryLimits::Interval interval{from, to};
  return limits.over({&interval, 1});
}

struct Read : MemoryLimits {
  void at(int second, std::string_view note) { push(formats::time_from(second * kSecond), note); }
};

TEST(MemoryLimits, TheSecondsInQuestionCount) {
  Read limits;
  limits.at(10, "4096 4000 5 - /shop");
  limits.at(11, "4096 4096 15 7:2000,8:100 /shop");
  limits.at(12, "4096 4096 115 8:3000 /shop");
  EXPECT_EQ(over(limits, 11 * kSecond + 1, 12 * kSecond)->reached, 100u);
  const auto both = over(limits, 10 * kSecond + 1, 12 * kSecond);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->cgroup, "/shop");
  EXPECT_EQ(both->limit, 4096u);
  EXPECT_EQ(both->reached, 110u);
  EXPECT_EQ(both->users, (std::vector<MemoryLimits::User>{{8, 3000}}));
  EXPECT_FALSE(over(limits, 12 * kSecond, 13 * kSecond));
  EXPECT_FALSE(over(limits, 0, 10 * kSecond)) << "what came before the first reading is not known";
}

// No reading is written while nothing happens: what the next one tells happened in its last second or two.
TEST(MemoryLimits, NothingIsSaidOfSecondsWithoutReadings) {
  Read limits;
  limits.at(10, "4096 4000 5 - /shop");
  limits.at(30, "4096 4096 15 - /shop");
  EXPECT_FALSE(over(limits, 12 * kSecond, 20 * kSecond));
  EXPECT_TRUE(over(limits, 29 * kSecond, 29 * kSecond + 1));
}

TEST(MemoryLimits, TheOneThatWasReachedMost) {
  Read limits;
  for (const char* path : {"/a", "/b c", "/d"}) limits.at(1, std::string("4096 1 0 - ") + path);
  limits.at(2, "4096 1 3 - /a");
  limits.at(2, "8192 1 4 - /b c");
  limits.at(2, "4096 1 0 - /d");
  EXPECT_EQ(over(limits, kSecond + 1, 2 * kSecond)->cgroup, "/b c");
}

TEST(MemoryLimits, OtherTextIsIgnored) {
  Read limits;
  for (const char* text :
       {"", " ", "1", "1 2", "1 2 3", "1 2 3 -", "1 2 3 - shop", "x 2 3 - /s", "1 2 99999999999999999999 - /s"}) {
    limits.at(1, text);
    limits.at(2, text);
  }
  limits.at(1, "1 2 9 - /s");
  limits.at(2, "1 2 8 - /s");  // counts do not fall
  limits.at(2, "1 2 10 :,7,7:,x:1,7:x /s");
  const auto got = over(limits, kSecond + 1, 2 * kSecond);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->reached, 1u);
  EXPECT_TRUE(got->users.empty());
}

}  // namespace
}  // namespace tailcap::model
