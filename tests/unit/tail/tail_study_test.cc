#include "analyze/tail/tail_study.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "analyze/tail/slow/bootstrap.h"
#include "analyze/tail/slow/differences.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests {
namespace {

using model::Origin;
using model::Pattern;
using model::Study;
using model::TailStudy;
using model::VerdictKind;
using model::VerdictLevel;

const model::VerdictPart& first_part(const TailStudy& tail) { return tail.verdict.parts.at(0); }

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
  ASSERT_EQ(tail.verdict.kind, VerdictKind::tail);
  EXPECT_EQ(tail.verdict.level, VerdictLevel::notable);
  EXPECT_EQ(first_part(tail).origin, Origin::service);
  EXPECT_EQ(tail.verdict.pattern, Pattern::recurring);
  EXPECT_EQ(tail.slow, 200u);
  EXPECT_EQ(tail.typical, 4000u);
  EXPECT_EQ(first_part(tail).label, Label::sched_throttled);
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
    for (const model::VerdictPart& part : tail.verdict.parts)
      EXPECT_FALSE(tail.verdict.kind == VerdictKind::tail && part.origin == Origin::service)
          << "run " << run << ": " << name_of(part.label);
    expect_sums(tail);
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
  ASSERT_EQ(tail.verdict.parts.size(), 1u);
  EXPECT_EQ(first_part(tail).label, Label::sched_throttled);
  EXPECT_EQ(first_part(tail).origin, Origin::service);
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
  ASSERT_EQ(tail.verdict.parts.size(), 1u);
  EXPECT_EQ(first_part(tail).label, Label::down_wait);
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
    ASSERT_EQ(tail.verdict.parts.size(), 1u);
    EXPECT_EQ(first_part(tail).label, Label::down_wait);
    ASSERT_TRUE(first_part(tail).who);
    EXPECT_EQ(first_part(tail).who->inside, Label::timer_sleep);
    ASSERT_EQ(tail.culprits.size(), 1u);
    EXPECT_EQ(tail.culprits[0].slow, tail.slow);
    EXPECT_EQ(tail.culprits[0].inside, Label::timer_sleep);
    EXPECT_EQ(tail.culprits[0].inside_time, static_cast<std::int64_t>(tail.slow) * 40'000'000);
  }
  EXPECT_EQ(seen, 1u);
}

TEST(TailStudy, AccountsForAnyNumberOfRequests) {
  for (const std::size_t n : {1u, 4u, 5u, 14u, 63u, 199u}) {
    TailCase c;
    Ordinary service(21);
    for (std::size_t i = 0; i < n; ++i) {
      auto times = service.next(0.01);
      if (i % 4 == 3 || n == 1) times.emplace_back(Label::io_disk, 80'000'000);
      c.add("/cart", static_cast<std::int64_t>(i) * 10'000'000, times);
      c.keep();
    }
    const TailStudy& tail = tail_of(c.run());
    EXPECT_EQ(tail.verdict.kind, n < 5 ? VerdictKind::few : VerdictKind::tail) << n;
    ASSERT_FALSE(tail.verdict.parts.empty()) << n;
    EXPECT_EQ(first_part(tail).label, Label::io_disk) << n;
    EXPECT_GE(tail.verdict.level, VerdictLevel::note) << n;
    EXPECT_EQ(tail.verdict.of, n);
    if (n >= 5) expect_sums(tail);
  }
}

TEST(TailStudy, SaysWhatIsInDoubt) {
  {  // 2 % of the durations are in doubt: they could be the slowest
    TailCase c;
    Ordinary service(22);
    for (int i = 0; i < 4000; ++i) {
      auto& row = c.add("/cart", i * 5'000'000LL, service.next(0.005));
      if (i % 50 == 0) row.taints = static_cast<model::Taints>(model::Taint::bytes_lost);
      c.keep();
    }
    EXPECT_FALSE(tail_of(c.run()).doubt.empty());
  }
  for (const std::int64_t lost : {5'000'000, 70'000'000}) {  // as much is lost as is explained: no ranking
    TailCase c;
    Ordinary service(23);
    for (int i = 0; i < 4000; ++i) {
      auto times = service.next(0.005);
      if (i % 90 == 0) times.emplace_back(Label::sched_throttled, 60'000'000);
      if (i % 180 == 0) times.emplace_back(Label::unexplained_lost, lost);
      c.add("/cart", i * 5'000'000LL, times);
      c.keep();
    }
    const TailStudy& tail = tail_of(c.run());
    EXPECT_EQ(first_part(tail).label, Label::sched_throttled);
    EXPECT_GT(tail.slow_lossy, 10u);
    EXPECT_GT(tail.verdict.lost, 0);
    EXPECT_EQ(tail.verdict.ranked, lost < 10'000'000);
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
  EXPECT_EQ(first_part(tail).origin, Origin::unexplained);
  EXPECT_LE(tail.verdict.level, VerdictLevel::notable);
  EXPECT_NEAR(tail.unexplained, 60.0 / 90 / 11.5, 0.02);
  EXPECT_NEAR(tail.inferred, 0.5, 0.06);
  EXPECT_EQ(tail.causeless, 0);
}

TEST(TailStudy, OneIncidentIsNamed) {
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
  EXPECT_EQ(tail.largest_burst, 45u);
  EXPECT_LT(static_cast<double>(tail.bursts), 0.5 * tail.bursts_if_spread);
  EXPECT_EQ(first_part(tail).label, Label::sched_stopped);
  EXPECT_EQ(first_part(tail).origin, Origin::service);
  EXPECT_EQ(tail.verdict.pattern, Pattern::incident);
  EXPECT_EQ(tail.verdict.when.size(), 1u);
  EXPECT_EQ(tail.verdict.rate_high, 0) << "no rate from one incident";
}

TEST(Discoveries, BenjaminiHochberg) {
  const std::vector<double> p = {0.01, 0.04, 0.03, 0.005, 0.8};  // limits 0.01 0.02 0.03 0.04 0.05 of the sorted ones
  EXPECT_EQ(tail::slow::discoveries(p), (std::vector<bool>{true, true, true, true, false}));
  EXPECT_EQ(tail::slow::discoveries({0.04, 0.6}), (std::vector<bool>{false, false}));
}

}  // namespace
}  // namespace tailcap::tests
