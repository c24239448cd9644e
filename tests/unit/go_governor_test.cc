// When the kernel programs leave a place in a Go program, and when they come back.
#include "capture/go/governor.h"

#include <gtest/gtest.h>

namespace tailcap::capture::go {
namespace {

using Turn = Governor::Turn;
using std::chrono::milliseconds;

struct Course {
  Governor governor;
  Governor::Clock::time_point now{};
  std::uint64_t hits = 0;
  // What is decided after another interval in which it was passed at this rate.
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
  const auto patience = Governor::kPatience / Governor::kInterval;
  for (int burst = 0; burst < 20; burst++) {
    for (int i = 0; i + 1 < patience; i++) ASSERT_EQ(run.pass(10 * Governor::kBusy), Turn::stay);
    ASSERT_EQ(run.pass(0), Turn::stay);
  }
}

TEST(GoGovernor, LeavesLooksAndLeavesAgain) {
  Course run;
  run.pass(0);
  int intervals = 0;
  while (run.pass(2 * Governor::kBusy) == Turn::stay) ASSERT_LT(++intervals, 100);
  EXPECT_EQ(intervals + 1, Governor::kPatience / Governor::kInterval);
  for (int round = 0; round < 5; round++) {
    // Nobody counts meanwhile.
    for (int i = 1; i < Governor::kAway / Governor::kInterval; i++) ASSERT_EQ(run.pass(0), Turn::stay) << i;
    ASSERT_EQ(run.pass(0), Turn::come_back);
    ASSERT_EQ(run.pass(2 * Governor::kBusy), Turn::leave) << "at once";
  }
}

TEST(GoGovernor, StaysWhenItHasBecomeQuiet) {
  Course run;
  run.pass(0);
  while (run.pass(2 * Governor::kBusy) != Turn::leave) {
  }
  while (run.pass(0) != Turn::come_back) {
  }
  ASSERT_EQ(run.pass(Governor::kBusy / 2), Turn::stay);
  // A first burst after that is forgiven again.
  ASSERT_EQ(run.pass(2 * Governor::kBusy), Turn::stay);
  ASSERT_EQ(run.pass(0), Turn::stay);
}

TEST(GoGovernor, TimeThatStandsStill) {
  Governor governor;
  const Governor::Clock::time_point now{};
  EXPECT_EQ(governor.look(now, 0), Turn::stay);
  EXPECT_EQ(governor.look(now, 1'000'000), Turn::stay);
}

}  // namespace
}  // namespace tailcap::capture::go
