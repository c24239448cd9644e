// When the governor removes a probe from a Go program, and when it places it again.
#include <gtest/gtest.h>

#include <algorithm>

#include "capture/go/governor.h"

namespace tailcap::capture::go {
namespace {

using Turn = Governor::Turn;

struct Course {
  Governor governor;
  Governor::Clock::time_point now{};
  std::uint64_t hits = 0;
  // The decision after another interval with this rate of hits.
  Turn pass(std::uint64_t per_second) {
    now += Governor::kInterval;
    hits += per_second * static_cast<std::uint64_t>(Governor::kInterval.count()) / 1000;
    return governor.look(now, hits);
  }
};

TEST(GoGovernor, StaysWhereItIsQuiet) {
  Course run;
  for (int i = 0; i < 1000; i++) ASSERT_EQ(run.pass(Governor::kBusy), Turn::stay) << i;
}

TEST(GoGovernor, ABurstIsNotWorthTheChange) {
  Course run;
  run.pass(0);
  const auto per_interval = Governor::kBusy * static_cast<std::uint64_t>(Governor::kInterval.count()) / 1000;
  for (int burst = 0; burst < 20; burst++) {
    for (std::uint64_t spare = Governor::kBurst; spare > 0;) {
      const auto more = std::min(spare, 19 * per_interval);
      spare -= more;
      ASSERT_EQ(run.pass(Governor::kBusy + more * 1000 / static_cast<std::uint64_t>(Governor::kInterval.count())),
                Turn::stay);
    }
    // The next burst is tolerated after an equally long quiet period.
    for (std::uint64_t quiet = 0; quiet < Governor::kBurst; quiet += per_interval) ASSERT_EQ(run.pass(0), Turn::stay);
  }
}

TEST(GoGovernor, TheMoreHitsTheSoonerItLeaves) {
  for (const std::uint64_t rate : {12u, 51u, 101u}) {
    Course run;
    run.pass(0);
    const std::uint64_t before = run.hits;
    while (run.pass(rate * Governor::kBusy) == Turn::stay) ASSERT_LT(run.hits, 100 * Governor::kBurst);
    const auto interval = rate * Governor::kBusy * static_cast<std::uint64_t>(Governor::kInterval.count()) / 1000;
    EXPECT_LE(run.hits - before, Governor::kBurst * rate / (rate - 1) + interval) << rate;
    EXPECT_GT(run.hits - before, Governor::kBurst) << rate;
  }
}

TEST(GoGovernor, WhatLastsIsNoBurst) {
  for (const double rate : {1.1, 2.0, 4.0, 5.8}) {
    Course run;
    run.pass(0);
    const auto before = run.now;
    const std::uint64_t hits = run.hits;
    while (run.pass(static_cast<std::uint64_t>(rate * Governor::kBusy)) == Turn::stay)
      ASSERT_LT(run.now - before, std::chrono::seconds{30}) << rate;
    const auto took = std::chrono::duration<double>(run.now - before).count();
    const double beyond = static_cast<double>(run.hits - hits) - took * static_cast<double>(Governor::kBusy);
    EXPECT_GE(run.now - before, Governor::kSustained) << rate;
    EXPECT_GE(beyond, static_cast<double>(Governor::kLasting)) << rate;
    EXPECT_TRUE(run.now - before == Governor::kSustained || beyond < 1.1 * static_cast<double>(Governor::kLasting))
        << rate;
  }
}

TEST(GoGovernor, AMomentOfQuietEndsABurst) {
  Course run;
  run.pass(0);
  for (int i = 0; i < 20; i++) {
    for (int j = 1; j < Governor::kSustained / Governor::kInterval; j++)
      ASSERT_EQ(run.pass(Governor::kBusy + Governor::kBusy / 2), Turn::stay) << i;
    ASSERT_EQ(run.pass(Governor::kBusy / 2), Turn::stay) << i;
  }
}

TEST(GoGovernor, LeavesLooksAndLeavesAgain) {
  Course run;
  run.pass(0);
  while (run.pass(10 * Governor::kBusy) == Turn::stay) ASSERT_LT(run.hits, 100 * Governor::kBurst);
  for (int round = 0; round < 6; round++) {
    const auto away = std::min(Governor::kAway * (1 << round), Governor::kLongestAway);
    // Hits are not counted meanwhile.
    for (int i = 1; i < away / Governor::kInterval; i++) ASSERT_EQ(run.pass(0), Turn::stay) << i;
    ASSERT_EQ(run.pass(0), Turn::come_back);
    ASSERT_EQ(run.pass(10 * Governor::kBusy), Turn::leave) << "at once";
  }
}

TEST(GoGovernor, StaysWhenItHasBecomeQuiet) {
  Course run;
  run.pass(0);
  while (run.pass(2 * Governor::kBusy) != Turn::leave) {
  }
  while (run.pass(0) != Turn::come_back) {
  }
  for (int i = 0; i < 1000; i++) ASSERT_EQ(run.pass(Governor::kBusy / 2), Turn::stay) << i;
  // A first burst after that is tolerated again.
  ASSERT_EQ(run.pass(10 * Governor::kBusy), Turn::stay);
  ASSERT_EQ(run.pass(0), Turn::stay);
}

TEST(GoGovernor, FewerAreAllowedWhereTheKernelShowsThem) {
  Governor governor;
  Governor::Clock::time_point now{};
  std::uint64_t hits = 0;
  const auto pass = [&](std::uint64_t more) {
    now += Governor::kInterval;
    return governor.look(now, hits += more, Governor::kSpared);
  };
  pass(0);
  while (pass(50) == Turn::stay) ASSERT_LT(hits, Governor::kLasting + 10 * Governor::kBusy);
  EXPECT_GE(hits, Governor::kLasting) << "first all of them";
  for (int round = 0; round < 5; round++) {
    while (pass(0) != Turn::come_back) {
    }
    EXPECT_EQ(pass(50), Turn::leave) << "a look is over after one interval";
  }
}

TEST(GoGovernor, TimeThatStandsStill) {
  Governor governor;
  const Governor::Clock::time_point now{};
  EXPECT_EQ(governor.look(now, 0), Turn::stay);
  EXPECT_EQ(governor.look(now, 1'000'000), Turn::stay);
}

}  // namespace
}  // namespace tailcap::capture::go
