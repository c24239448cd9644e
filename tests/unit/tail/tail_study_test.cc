#include "analyze/tail/slow/tail_study.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "analyze/tail/slow/bootstrap.h"
#include "analyze/tail/slow/differences.h"
#include "analyze/tail/slow/verdict.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests {
namespace {

using model::Study;
using model::TailStudy;
using model::TailVerdict;

std::size_t runs(std::size_t usual) {
  const char* const more = std::getenv("TAILCAP_TEST_RUNS");
  return more ? std::strtoull(more, nullptr, 10) : usual;
}

void expect_sums(const TailStudy& tail) {
  std::int64_t slow = 0, typical = 0, difference = 0;
  std::uint64_t dominant = 0;
  for (const auto& d : tail.labels) {
    slow += d.slow;
    typical += d.typical;
    difference += d.difference();
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

// An example with a known answer: 1 % throttled for 20 to 70 ms, 3 % behind a lock.
TailCase example(std::uint64_t seed, std::size_t n, double per_second = 200) {
  TailCase c;
  Ordinary service(seed);
  double at = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double gap = service.exponential(1 / per_second);
    at += gap;
    auto times = service.next(gap);
    std::vector<model::Culprit> culprits;
    if (service.uniform() < 0.01)
      times.emplace_back(Label::sched_throttled, std::llround(20e6 + 50e6 * service.uniform()));
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
    EXPECT_NE(tail.verdict, TailVerdict::cause)
        << "run " << run << ": " << name_of(tail.causes.empty() ? Label::cpu : tail.causes.front());
    EXPECT_FALSE(tail.reason.empty() && tail.bursts >= 3) << "run " << run;
  }
}

// How often the interval contains the difference that an endless recording would show.
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
  RecordProperty("throttled", static_cast<int>(throttled));
  RecordProperty("lock", static_cast<int>(lock));
  RecordProperty("gap", static_cast<int>(gap));
  std::printf("of %zu: throttled %zu, lock %zu, gap %zu\n", n, throttled, lock, gap);
  EXPECT_GE(static_cast<double>(throttled) / static_cast<double>(n), least);
  EXPECT_GE(static_cast<double>(lock) / static_cast<double>(n), least);
  EXPECT_GE(static_cast<double>(gap) / static_cast<double>(n), least);
}

// Large responses take longer; most slow requests have one, few typical ones do. That is not a cause.
TEST(TailStudy, ComparesLikeWithLike) {
  TailCase c;
  Ordinary service(11);
  for (int i = 0; i < 20'000; ++i) {
    const bool large = service.uniform() < 0.3;
    TailCase::Times times = {{Label::down_wait, std::llround(4e6 + 4e6 * service.uniform())},
                             {Label::cpu_user, large ? 2'000'000 : 1'000'000}};
    if (service.uniform() < (large ? 0.02 : 0.007))
      times.emplace_back(Label::sched_throttled, 60'000'000 + static_cast<std::int64_t>(i));
    auto& row = c.add("/cart", i * 5'000'000LL, times);
    row.response_bytes = large ? 100'000 : 300;
    c.keep();
  }
  const TailStudy& tail = tail_of(c.run());
  ASSERT_EQ(tail.verdict, TailVerdict::cause) << tail.reason;
  EXPECT_EQ(tail.causes, std::vector<Label>{Label::sched_throttled});
  const auto* cpu = difference_of(tail, Label::cpu_user);
  ASSERT_NE(cpu, nullptr);
  EXPECT_GT(cpu->slow, 1'400'000);                               // the slow requests' share of large responses
  EXPECT_NEAR(static_cast<double>(cpu->difference()), 0, 1000);  // the typical ones are weighted likewise
  EXPECT_EQ(tail.matched_loosely, 0u);
  expect_sums(tail);
}

TEST(TailStudy, SaysWithWhomItCompared) {
  TailCase c;
  Ordinary service(12);
  for (int i = 0; i < 4000; ++i) {
    const bool failed = i % 100 == 0;  // all slow requests failed, no typical one did
    auto& row = c.add("/cart", i * 5'000'000LL,
                      {{Label::cpu_user, 1'000'000 + static_cast<std::int64_t>(1000 * service.uniform())},
                       {Label::down_wait, failed ? 90'000'000 : 0}});
    if (failed) {
      row.status = 504;
      row.outcome = model::Outcome::server_error;
    }
    c.keep();
  }
  const TailStudy& tail = tail_of(c.run());
  EXPECT_EQ(tail.slow, 40u);
  EXPECT_EQ(tail.matched_by_route, 40u);
  EXPECT_EQ(tail.causes, std::vector<Label>{Label::down_wait});
  expect_sums(tail);
}

// A call is slow because its server sleeps.
TEST(TailStudy, LooksThroughTheCall) {
  TailCase c;
  Ordinary service(13);
  for (int i = 0; i < 4000; ++i) {
    const std::int64_t at = i * 5'000'000LL, sleep = i % 80 == 0 ? 40'000'000 : 0;
    auto& served = c.add("/stock", at, {{Label::cpu_user, 300'000}, {Label::timer_sleep, sleep}});
    const model::ExchangeId server = served.id;
    c.keep();
    auto& call = c.add("/stock", at, {{Label::down_wait, 400'000 + sleep}});
    call.role = model::Role::client;
    call.authority = c.table.texts.intern("stock:9000");
    call.peer = server;
    const model::ExchangeId made = call.id;
    c.keep();
    c.add("/page", at, {{Label::cpu_user, 1'000'000}, {Label::down_wait, 400'000 + sleep}},
          {{Label::down_wait, 400'000 + sleep, 0, made, 0}});
    c.keep();
  }
  const Study& study = c.run();
  std::size_t seen = 0;
  for (const auto& route : study.routes) {
    if (route.route != "/page") continue;
    ++seen;
    const TailStudy& tail = route.tail.value();
    EXPECT_EQ(tail.causes, std::vector<Label>{Label::down_wait}) << tail.reason;
    ASSERT_EQ(tail.culprits.size(), 1u);
    EXPECT_EQ(tail.culprits[0].slow, tail.slow);
    EXPECT_EQ(tail.culprits[0].inside, Label::timer_sleep);
    EXPECT_EQ(tail.culprits[0].inside_time, static_cast<std::int64_t>(tail.slow) * 40'000'000);
  }
  EXPECT_EQ(seen, 1u);
}

TEST(TailStudy, RefusesWhatTheDataDoesNotSupport) {
  {
    TailCase few = example(21, 199);
    const TailStudy& tail = tail_of(few.run());
    EXPECT_EQ(tail.verdict, TailVerdict::refused);
    EXPECT_EQ(tail.requests_needed, 200u);
    EXPECT_TRUE(tail.labels.empty());
  }
  {  // 2 % of the durations are in doubt: they could be the slowest
    TailCase c;
    Ordinary service(22);
    for (int i = 0; i < 4000; ++i) {
      auto& row = c.add("/cart", i * 5'000'000LL, service.next(0.005));
      if (i % 50 == 0) row.taints = static_cast<model::Taints>(model::Taint::bytes_lost);
      c.keep();
    }
    const TailStudy& tail = tail_of(c.run());
    EXPECT_EQ(tail.verdict, TailVerdict::refused);
    EXPECT_NE(tail.reason.find("which requests are the slowest is not known"), std::string::npos) << tail.reason;
  }
  {  // the slow ones overlap loss: apparently throttled, but no ranking
    TailCase c;
    Ordinary service(23);
    for (int i = 0; i < 4000; ++i) {
      auto times = service.next(0.005);
      if (i % 90 == 0) times.emplace_back(Label::sched_throttled, 60'000'000);
      if (i % 180 == 0) times.emplace_back(Label::unexplained_lost, 5'000'000);
      c.add("/cart", i * 5'000'000LL, times);
      c.keep();
    }
    const TailStudy& tail = tail_of(c.run());
    EXPECT_EQ(tail.verdict, TailVerdict::no_cause);
    EXPECT_GT(tail.slow_lossy, 10u);
    EXPECT_NE(tail.reason.find("lost events"), std::string::npos) << tail.reason;
  }
}

TEST(TailStudy, HonestAboutWhatHasNoName) {
  TailCase c;
  Ordinary service(24);
  for (int i = 0; i < 4000; ++i) {
    auto times = service.next(0.005);
    if (i % 90 == 0) times.emplace_back(Label::unexplained_nocarrier, 60'000'000);
    c.add("/cart", i * 5'000'000LL, times, {}, i % 2 ? model::Evidence::inferred : model::Evidence::measured);
    c.keep();
  }
  const TailStudy& tail = tail_of(c.run());
  EXPECT_EQ(tail.verdict, TailVerdict::no_cause);
  EXPECT_TRUE(tail.causes.empty());
  EXPECT_NE(tail.reason.find("could not be explained"), std::string::npos) << tail.reason;
  EXPECT_NEAR(tail.unexplained, 60.0 / 90 / 11.5, 0.02);
  EXPECT_NEAR(tail.inferred, 0.5, 0.06);
  EXPECT_EQ(tail.causeless, 0);
}

TEST(TailStudy, OneIncidentIsNoPattern) {
  TailCase c;
  Ordinary service(25);
  for (int i = 0; i < 4000; ++i) {
    auto times = service.next(0.005);
    if (i >= 2000 && i < 2045) times.emplace_back(Label::sched_stopped, 300'000'000 - (i - 2000) * 5'000'000LL);
    c.add("/cart", i * 5'000'000LL, times);
    c.keep();
  }
  const TailStudy& tail = tail_of(c.run());
  EXPECT_EQ(tail.bursts, 1u);
  EXPECT_EQ(tail.largest_burst, 40u);
  EXPECT_LT(static_cast<double>(tail.bursts), 0.5 * tail.bursts_if_spread);
  EXPECT_EQ(tail.labels.front().label, Label::sched_stopped);
  EXPECT_NE(tail.verdict, TailVerdict::cause);
}

TEST(TailVerdictRules, OrdinarySpread) {
  // Log-normal, sigma 0.5: the mean of the slowest 1 % is exp(sigma^2/2) * Phi(sigma - z) / 0.01 times the median.
  const double q = 0.6744897501960817, s = 0.5;
  EXPECT_NEAR(tail::slow::ordinary_mean_beyond(0.99, std::exp(-q * s), 1, std::exp(q * s)), 3.8475, 0.01);
  // A second mode above the median does not widen it.
  EXPECT_NEAR(tail::slow::ordinary_mean_beyond(0.99, std::exp(-q * s), 1, 100), 3.8475, 0.01);
  EXPECT_EQ(tail::slow::ordinary_mean_beyond(0.99, 0, 0, 5), 0);
  EXPECT_NEAR(tail::slow::ordinary_mean_beyond(0.99, 7, 7, 7), 7, 1e-6);
}

TEST(TailVerdictRules, BenjaminiHochberg) {
  const std::vector<double> p = {0.01, 0.04, 0.03, 0.005, 0.8};  // limits 0.01 0.02 0.03 0.04 0.05 of the sorted ones
  EXPECT_EQ(tail::slow::discoveries(p), (std::vector<bool>{true, true, true, true, false}));
  EXPECT_EQ(tail::slow::discoveries({0.04, 0.6}), (std::vector<bool>{false, false}));
}

}  // namespace
}  // namespace tailcap::tests
