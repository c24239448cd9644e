#include "capture/host/courtesy.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "ground/scheduling.h"

namespace tailcap::capture {
namespace {

using namespace std::chrono_literals;
using ground::Share;

constexpr Patience::Limits kLimits{100, 1000};

TEST(Patience, ThreadsThatHaveTurnsStayIdle) {
  Patience patience(kLimits);
  Patience::Clock::time_point now{1h};
  for (std::uint64_t turn = 1; turn < 100; ++turn) EXPECT_EQ(patience.share(now += 50ms, turn, 100), Share::idle);
}

TEST(Patience, WithoutATurnOrWithFullRingsTheyTakeTheirShare) {
  for (const bool full : {false, true}) {
    Patience patience(kLimits);
    Patience::Clock::time_point now{1h};
    EXPECT_EQ(patience.share(now, 1, 0), Share::idle);
    EXPECT_EQ(patience.share(now += 290ms, 1, 0), Share::idle);
    EXPECT_EQ(patience.share(now += full ? 1ms : 20ms, 1, full ? 101 : 0), Share::batch);
    EXPECT_EQ(patience.share(now + 1900ms, 2, 0), Share::batch);
    EXPECT_EQ(patience.share(now + 2s, 3, 0), Share::idle);
  }
}

TEST(Patience, TheShareLastsLongerWhereItIsNeededAgainAndAgain) {
  Patience patience(kLimits);
  Patience::Clock::time_point now{1h};
  for (const auto share : {2s, 4s, 8s, 16s, 32s, 64s, 64s}) {
    EXPECT_EQ(patience.share(now, 1, 101), Share::batch) << share.count();
    EXPECT_EQ(patience.share(now + share - 1ms, 1, 0), Share::batch) << share.count();
    EXPECT_EQ(patience.share(now += share, 1, 0), Share::idle) << share.count();
  }
  now += 65s;  // and from the beginning where it was not
  EXPECT_EQ(patience.share(now, 2, 101), Share::batch);
  EXPECT_EQ(patience.share(now + 2s, 2, 0), Share::idle);
}

TEST(Patience, IdleThreadsAreLookedAtSeldom) {
  Patience patience(kLimits);
  Patience::Clock::time_point now{1h};
  EXPECT_EQ(patience.share(now, 1, 0), Share::idle);
  const auto rare = patience.next_look();
  EXPECT_EQ(patience.share(now += rare, 2, 101), Share::batch);
  EXPECT_LT(patience.next_look(), rare);
}

TEST(Patience, WhereEventsWouldBeLostTheyGoFirstUntilLittleWaits) {
  Patience patience(kLimits);
  Patience::Clock::time_point now{1h};
  EXPECT_EQ(patience.share(now, 1, 1001), Share::first);
  EXPECT_EQ(patience.share(now += 20ms, 2, 101), Share::first);
  EXPECT_EQ(patience.share(now += 20ms, 3, 100), Share::batch);
}

TEST(Patience, TheyGoFirstForAtMostHalfOfTheTime) {
  Patience patience(kLimits);
  Patience::Clock::time_point now{1h};
  int first = 0;
  for (std::uint64_t look = 0; look < 1000; ++look)
    first += patience.share(now += 20ms, look, 1'000'000) == Share::first;
  EXPECT_NEAR(first, 500 + 25, 1);  // a second at first
}

TEST(Courtesy, TheReaderIsIdleAndABatchTaskAgain) {
  std::thread([] {
    ground::become_batch_task();
    const pid_t thread = gettid();
    const int nice = getpriority(PRIO_PROCESS, thread);
    const auto policy_becomes = [=](int wanted) {
      for (int i = 0; i < 500 && sched_getscheduler(thread) != wanted; ++i) std::this_thread::sleep_for(10ms);
      return sched_getscheduler(thread) == wanted;
    };
    std::atomic<std::uint64_t> waiting = 0;
    {
      Courtesy courtesy(
          thread, [&] { return waiting.load(); }, kLimits);
      EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
      courtesy.begin();
      if (!policy_becomes(SCHED_IDLE)) GTEST_SKIP() << "this user does not have CAP_SYS_NICE";
      waiting = 101;
      EXPECT_TRUE(policy_becomes(SCHED_BATCH));
      EXPECT_EQ(getpriority(PRIO_PROCESS, thread), nice);
      waiting = 1001;
      for (int i = 0; i < 500 && getpriority(PRIO_PROCESS, thread) == nice; ++i) std::this_thread::sleep_for(10ms);
      EXPECT_EQ(getpriority(PRIO_PROCESS, thread), std::max(-20, nice - 10));
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
    EXPECT_EQ(getpriority(PRIO_PROCESS, thread), nice);
  }).join();
}

}  // namespace
}  // namespace tailcap::capture
