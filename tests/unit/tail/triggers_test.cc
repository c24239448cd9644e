// Slow while the CPUs are used up: both must be true.
#include "analyze/tail/load/triggers.h"

#include <gtest/gtest.h>

#include "analyze/report/sections/triggers.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests {
namespace {

struct Load {
  std::uint64_t seed = 1;
  int slow_from = 0, slow_to = 0;  // seconds in which requests wait for a CPU
  int busy_from = 0, busy_to = 0;  // seconds in which the process is at 97 %
  double per_second = 400;
};

// 60 seconds of a Go process with the pid of TailCase's requests.
TailCase case_of(const Load& load) {
  TailCase c;
  Ordinary service(load.seed, 0.05);
  for (double at = 0; at < 60;) {
    const double gap = service.exponential(1 / load.per_second);
    at += gap;
    auto times = service.next(gap);
    if (at >= load.slow_from && at < load.slow_to && service.uniform() < 0.1)
      times.emplace_back(Label::go_runnable, 60'000'000 + std::llround(service.exponential(10e6)));
    c.add("/work", std::llround(at * 1e9), times);
    c.keep();
  }
  model::GoStudy& go = c.study.go.emplace_back();
  go.pid = 10;
  go.comm = "shop";
  go.processors = 4;
  for (int second = 1; second < 60; ++second) {
    model::GoBusy& b = go.busy.emplace_back();
    b.from = formats::time_from(1'000'000'000 + second * 1'000'000'000LL);
    b.goroutines = second >= load.busy_from && second < load.busy_to ? 0.97 : 0.4;
    b.threads = b.goroutines - 0.1;
    go.busy_seconds += b.goroutines >= go.limits.busy;
  }
  return c;
}

TEST(Triggers, BothSignals) {
  TailCase c = case_of({.slow_from = 20, .slow_to = 30, .busy_from = 20, .busy_to = 30});
  const auto& study = c.run();
  ASSERT_EQ(study.triggers.size(), 1u);
  const auto& t = study.triggers[0];
  EXPECT_EQ(t.pid, 10u);
  EXPECT_EQ(t.from, formats::time_from(21'000'000'000));
  EXPECT_EQ(t.to, formats::time_from(31'000'000'000));
  EXPECT_NEAR(t.busy, 0.97, 1e-9);
  EXPECT_TRUE(t.processors);
  EXPECT_TRUE(t.labelled);
  EXPECT_EQ(t.label, Label::go_runnable);
  EXPECT_GT(t.label_time, 50'000'000);
  EXPECT_EQ(t.label_typical, 0);
  EXPECT_GT(t.latency.low.count(), 40'000'000);
  EXPECT_FALSE(t.requests.empty());
  const auto lines = report::trigger_lines(study);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("GET /work"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("97.0 % of GOMAXPROCS"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("Hypothesis: "), std::string::npos) << lines[0];
}

TEST(Triggers, SlowWithoutBeingBusyIsNone) {
  TailCase c = case_of({.slow_from = 20, .slow_to = 30});
  EXPECT_TRUE(c.run().triggers.empty());
}

TEST(Triggers, BusyWithoutBeingSlowIsNone) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    TailCase c = case_of({.seed = seed, .busy_from = 20, .busy_to = 30});
    EXPECT_TRUE(c.run().triggers.empty()) << seed;
  }
}

TEST(Triggers, AtDifferentTimesIsNone) {
  TailCase c = case_of({.slow_from = 10, .slow_to = 20, .busy_from = 30, .busy_to = 40});
  EXPECT_TRUE(c.run().triggers.empty());
}

TEST(Triggers, OneSecondIsNotSustained) {
  TailCase c = case_of({.slow_from = 20, .slow_to = 21, .busy_from = 20, .busy_to = 21});
  EXPECT_TRUE(c.run().triggers.empty());
}

TEST(Triggers, TooFewRequestsSayNothing) {
  TailCase c = case_of({.slow_from = 20, .slow_to = 23, .busy_from = 20, .busy_to = 23, .per_second = 5});
  EXPECT_TRUE(c.run().triggers.empty());
}

TEST(Triggers, AnotherProcesssRequestsAreNotItsOwn) {
  TailCase c = case_of({.slow_from = 20, .slow_to = 30, .busy_from = 20, .busy_to = 30});
  c.study.go[0].pid = 11;
  EXPECT_TRUE(c.run().triggers.empty());
}

}  // namespace
}  // namespace tailcap::tests
