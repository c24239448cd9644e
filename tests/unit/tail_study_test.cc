#include "analyze/tail/slow/tail_study.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "analyze/tail/slow/bootstrap.h"
#include "analyze/tail/slow/differences.h"
#include "analyze/tail/slow/verdict.h"
#include "tests/unit/tail_case.h"

namespace tailcap::tests {
namespace {

using flow::TailStudy;
using flow::TailVerdict;

std::size_t runs(std::size_t usual) {
  const char* const more = std::getenv("TAILCAP_TEST_RUNS");
  return more ? std::strtoull(more, nullptr, 10) : usual;
}

void expect_sums(const TailStudy& tail) {
  std::int64_t slow = 0, typical = 0, difference = 0;
  std::uint64_t dominant = 0;
  for (const auto& d : tail.labels) {
    slow += d.slow, typical += d.typical, difference += d.difference();
    dominant += d.slow_dominant;
    EXPECT_LE(d.slow_with, tail.slow);
  }
  EXPECT_EQ(slow, tail.slow_mean);
  EXPECT_EQ(typical, tail.typical_mean);
  EXPECT_EQ(difference, tail.gap());
  EXPECT_EQ(dominant, tail.slow);
  for (const auto& band : tail.bands) {
    std::int64_t sum = 0;
    for (const auto& [label, ns] : band.labels) sum += ns;
    EXPECT_EQ(sum, band.mean);
  }
}

// The example of which the answer is known: 1 % throttled for 20 to 70 ms, 3 % behind a lock.
TailCase example(std::uint64_t seed, std::size_t n, double per_second = 200) {
  TailCase c;
  Ordinary service(seed);
  double at = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double gap = service.exponential(1 / per_second);
    at += gap;
    auto times = service.next(gap);
    std::vector<flow::Culprit> culprits;
    if (service.uniform() < 0.01) times.emplace_back(Label::sched_throttled, std::llround(20e6 + 50e6 * service.uniform()));
    if (service.uniform() < 0.03) {
      const auto ns = std::llround(service.exponential(6e6));
      times.emplace_back(Label::lock_futex, ns);
      culprits.push_back({Label::lock_futex, ns, 0x7f00'1234, {}, 77});
    }
    c.add("/cart", std::llround(at * 1e9), times, culprits);
    c.keep();
  }
  return c;
}

TEST(TailStudy, FindsTheCauseAndItsSize) {
  TailCase c = example(1, 20'000);
  const TailStudy& tail = tail_of(c.run());
  ASSERT_EQ(tail.verdict, TailVerdict::cause) << tail.reason;
  EXPECT_EQ(tail.slow, 200u);
  EXPECT_EQ(tail.typical, 4000u);
  EXPECT_EQ(tail.causes.front(), Label::sched_throttled);
  EXPECT_EQ(tail.labels.front().label, Label::sched_throttled);
  const auto& throttled = tail.labels.front();
  EXPECT_EQ(throttled.typical, 0);
  EXPECT_GT(throttled.slow, 33'000'000);
  EXPECT_LT(throttled.slow, 46'000'000);
  EXPECT_LT(throttled.low, throttled.difference());
  EXPECT_GT(throttled.high, throttled.difference());
  EXPECT_GT(throttled.slow_with, 160u);
  const auto* lock = difference_of(tail, Label::lock_futex);
  ASSERT_NE(lock, nullptr);
  EXPECT_GT(lock->difference(), 500'000);
  const auto* cpu = difference_of(tail, Label::cpu_user);
  EXPECT_FALSE(cpu->stands_out);
  expect_sums(tail);
  ASSERT_FALSE(tail.culprits.empty());
  EXPECT_EQ(tail.culprits[0].what, 0x7f00'1234u);
  EXPECT_EQ(tail.culprits[0].tid, 77u);
  ASSERT_EQ(tail.exemplars.size(), 3u);
  EXPECT_GT(tail.bursts, 100u);
  EXPECT_NEAR(static_cast<double>(tail.bursts), tail.bursts_if_spread, 30);
}

TEST(TailStudy, SaysTheSameEveryTime) {
  TailCase a = example(2, 5000), b = example(2, 5000);
  const TailStudy &x = tail_of(a.run()), &y = tail_of(b.run());
  EXPECT_EQ(x.labels, y.labels);
  EXPECT_EQ(x.gap_low, y.gap_low);
  EXPECT_EQ(x.gap_high, y.gap_high);
}

TEST(TailStudy, NamesNothingWhereThereIsNothing) {
  const std::size_t n = runs(220);
  for (std::size_t run = 0; run < n; ++run) {
    TailCase c;
    Ordinary service(1000 + run, run % 3 == 0 ? 0.05 : 1, run % 5 < 2);
    double at = 0;
    const std::size_t requests = run % 4 == 0 ? 600 : run % 4 == 1 ? 2500 : 4000;
    for (std::size_t i = 0; i < requests; ++i) {
      const double gap = service.exponential(run % 2 ? 1.0 / 200 : 1.0 / 1500);
      at += gap;
      c.add("/cart", std::llround(at * 1e9), service.next(gap));
      c.keep();
    }
    const TailStudy& tail = tail_of(c.run());
    EXPECT_NE(tail.verdict, TailVerdict::cause) << "run " << run << ": " << name_of(tail.causes.empty() ? Label::cpu : tail.causes.front());
    EXPECT_FALSE(tail.reason.empty() && tail.bursts >= 3) << "run " << run;
  }
}

// How often the interval holds the difference that an endless recording would have shown.
TEST(TailStudy, IntervalsCoverTheTruth) {
  TailCase endless = example(99, 2'000'000 / 10);
  const TailStudy& truth = tail_of(endless.run());
  const std::size_t n = runs(120);
  std::size_t throttled = 0, gap = 0, lock = 0;
  for (std::size_t run = 0; run < n; ++run) {
    TailCase c = example(3000 + run, 10'000);
    const TailStudy& tail = tail_of(c.run());
    const auto covers = [&](Label label) {
      const auto* d = difference_of(tail, label);
      const std::int64_t t = difference_of(truth, label)->difference();
      return d && d->low <= t && t <= d->high;
    };
    throttled += covers(Label::sched_throttled);
    lock += covers(Label::lock_futex);
    gap += tail.gap_low <= truth.gap() && truth.gap() <= tail.gap_high;
  }
  const double least = 0.90 - 2 * std::sqrt(0.9 * 0.1 / static_cast<double>(n));
  RecordProperty("throttled", static_cast<int>(throttled)), RecordProperty("lock", static_cast<int>(lock)), RecordProperty("gap", static_cast<int>(gap));
  std::printf("of %zu: throttled %zu, lock %zu, gap %zu\n", n, throttled, lock, gap);
  EXPECT_GE(static_cast<double>(throttled) / static_cast<double>(n), least);
  EXPECT_GE(static_cast<double>(lock) / static_cast<double>(n), least);
  EXPECT_GE(static_cast<double>(gap) / static_cast<double>(n), least);
}

}  // namespace
}  // namespace tailcap::tests
