// What an event loop waits for where no call is under way: its timers, by the limit of its wait, and its pool.
#include "tests/unit/partition/partition_case.h"

namespace tailcap {
namespace {

using model::Label;

constexpr Thread kTurns{10, 10}, kHelper{10, 12};

struct TimerCase : PartitionCase {
  Endpoint &a = accepted(kTurns), &b = accepted(kTurns);
  TimerCase() {
    off(kTurns, 5ms, 10ms, 10ms, kEpollWait);
    a.receive(10ms, 10020us, get("/a"));
  }
  // Another request wakes the loop before its wait of `limit` from 10.1 ms on is over; then it goes on with the first.
  std::string woken_for_another(std::uint64_t limit) {
    formats::OffCpu& idle = off(kTurns, 10100us, 29900us, 29950us, kEpollWait);
    idle.timed = true;
    idle.argument1 = limit;
    b.receive(29900us, 29970us, get("/b"));
    b.send(30200us, kOk);
    a.send(30300us, kOk);
    return labels("/a");
  }
};

TEST(PartitionOfTimers, DueInTheSameTurn) {
  TimerCase c;
  EXPECT_EQ(c.woken_for_another(20'000'000), "timer.sleep~ 20000 q.loop~ 100 cpu 200");
}

TEST(PartitionOfTimers, DueMuchLater) {
  TimerCase c;
  const std::string labels = c.woken_for_another(400'000'000);
  EXPECT_EQ(labels.find("timer.sleep"), std::string::npos) << labels;
}

TEST(PartitionOfTimers, WithoutALimit) {
  TimerCase c;
  const std::string labels = c.woken_for_another(~std::uint64_t{0});
  EXPECT_EQ(labels.find("timer.sleep"), std::string::npos) << labels;
}

// The pool's only thread works for /b until 30 ms, and then for /a.
TEST(PartitionOfTimers, ItsPoolIsBusy) {
  PartitionCase c;
  Endpoint &a = c.accepted(kTurns), &b = c.accepted(kTurns);
  c.off(kTurns, 2ms, 5ms, 5ms, kEpollWait);
  b.receive(5ms, 5020us, get("/b"));
  c.off(kHelper, 2ms, 5080us, 5100us, kFutex, 0x9000, kTurns.tid);
  c.off(kTurns, 5100us, 10ms, 10ms, kEpollWait);
  a.receive(10ms, 10020us, get("/a"));
  c.off(kTurns, 10100us, 30ms, 30050us, kEpollWait, 3, kHelper.tid);
  b.send(30100us, kOk);
  c.off(kTurns, 30200us, 50ms, 50050us, kEpollWait, 3, kHelper.tid);
  c.off(kHelper, 50100us, 90ms, 90ms, kFutex, 0x9000, kTurns.tid);
  a.send(50100us, kOk);
  const std::string labels = c.labels("/a");
  EXPECT_NE(labels.find("q.pool~ 19"), std::string::npos) << labels;
  EXPECT_NE(labels.find("cpu~ "), std::string::npos) << labels;
  EXPECT_EQ(labels.find("timer.sleep"), std::string::npos) << labels;
  EXPECT_EQ(c.path_of(c.culprit("/a", Label::q_pool).request), "/b");
}

}  // namespace
}  // namespace tailcap
