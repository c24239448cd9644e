#include "capture/host/courtesy.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "ground/scheduling.h"

namespace tailcap::capture {
namespace {

using namespace std::chrono_literals;

TEST(Patience, ThreadsThatHaveTurnsStayIdle) {
  Patience patience;
  Patience::Clock::time_point now{1h};
  for (std::uint64_t turn = 1; turn < 100; ++turn) EXPECT_TRUE(patience.idle(now += 50ms, turn, false));
}

TEST(Patience, WithoutATurnOrWithFullRingsTheyTakeTheirShare) {
  for (const bool full : {false, true}) {
    Patience patience;
    Patience::Clock::time_point now{1h};
    EXPECT_TRUE(patience.idle(now, 1, false));
    EXPECT_TRUE(patience.idle(now += 90ms, 1, false));
    EXPECT_FALSE(patience.idle(now += full ? 1ms : 20ms, 1, full));
    EXPECT_FALSE(patience.idle(now + 1900ms, 2, false));
    EXPECT_TRUE(patience.idle(now + 2s, 3, false));
  }
}

TEST(Patience, TheShareLastsLongerWhereItIsNeededAgainAndAgain) {
  Patience patience;
  Patience::Clock::time_point now{1h};
  for (const auto share : {2s, 4s, 8s, 16s, 32s, 64s, 64s}) {
    EXPECT_FALSE(patience.idle(now, 1, true)) << share.count();
    EXPECT_FALSE(patience.idle(now + share - 1ms, 1, false)) << share.count();
    EXPECT_TRUE(patience.idle(now += share, 1, false)) << share.count();
  }
  now += 65s;  // and from the beginning where it was not
  EXPECT_FALSE(patience.idle(now, 2, true));
  EXPECT_TRUE(patience.idle(now + 2s, 2, false));
}

TEST(Courtesy, TheReaderIsIdleAndABatchTaskAgain) {
  std::thread([] {
    ground::become_batch_task();
    const pid_t thread = gettid();
    const auto policy_becomes = [=](int wanted) {
      for (int i = 0; i < 500 && sched_getscheduler(thread) != wanted; ++i) std::this_thread::sleep_for(10ms);
      return sched_getscheduler(thread) == wanted;
    };
    std::atomic<std::uint64_t> waiting = 0;
    {
      Courtesy courtesy(
          thread, [&] { return waiting.load(); }, 100);
      EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
      courtesy.begin();
      if (!policy_becomes(SCHED_IDLE)) GTEST_SKIP() << "this user does not have CAP_SYS_NICE";
      waiting = 101;
      EXPECT_TRUE(policy_becomes(SCHED_BATCH));
      waiting = 0;
      EXPECT_TRUE(policy_becomes(SCHED_IDLE));
      std::thread([&] {  // made by an idle task
        for (int i = 0; i < 500 && sched_getscheduler(0) == SCHED_IDLE; ++i, courtesy.turn())
          std::this_thread::sleep_for(10ms);
        EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
      })
          .join();
      EXPECT_TRUE(policy_becomes(SCHED_IDLE));  // at once, but where the machine is so busy that the thread had no turn
    }
    EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
  }).join();
}

}  // namespace
}  // namespace tailcap::capture
