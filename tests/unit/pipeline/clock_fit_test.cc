// Clocks aligned by messages: the true offset must be within the bounds and near the estimate.
#include "analyze/merge/clock_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tailcap::merge::clock_fit_test {
namespace {

using formats::nanoseconds;
using formats::time_from;

constexpr std::int64_t kSecond = 1'000'000'000;

// The other clock reads (ours - since) * (1 + fast) + since + ahead.
struct Truth {
  long double ahead, fast;
  std::int64_t since = 100 * kSecond;
  Time theirs(std::int64_t ours) const {
    return time_from(ours +
                     static_cast<std::int64_t>(std::llround(ahead + fast * static_cast<long double>(ours - since))));
  }
};

struct Link {
  std::int64_t least_forth, least_back, jitter;
};

ClockEstimate run(const Truth& truth, const Link& link, int messages, std::int64_t length, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  const auto delay = [&](std::int64_t least) {
    const double u = static_cast<double>(random() % 1'000'000 + 1) / 1e6;
    return least + static_cast<std::int64_t>(-std::log(u) * static_cast<double>(link.jitter));
  };
  ClockFit fit(truth.theirs(truth.since), truth.theirs(truth.since + length));
  for (int i = 0; i < messages; ++i) {
    const std::int64_t sent = truth.since + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(length));
    fit.before(time_from(sent), time_from(sent), truth.theirs(sent + delay(link.least_forth)));
    const std::int64_t back = truth.since + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(length));
    fit.after(time_from(back + delay(link.least_back)), truth.theirs(back), truth.theirs(back));
  }
  return fit.estimate();
}

std::int64_t true_offset(const Truth& t, Time theirs) {
  const long double ours =
      (static_cast<long double>(nanoseconds(theirs)) - t.ahead + t.fast * static_cast<long double>(t.since)) /
      (1 + t.fast);
  return static_cast<std::int64_t>(std::llround(ours - static_cast<long double>(nanoseconds(theirs))));
}

void expect_holds(const Truth& truth, const ClockEstimate& e, std::int64_t length) {
  ASSERT_TRUE(e.determined);
  EXPECT_EQ(e.contradiction, 0);
  const std::int64_t is = true_offset(truth, e.at);
  EXPECT_LE(e.lower, is);
  EXPECT_GE(e.upper, is);
  EXPECT_LE(e.lower, e.offset);
  EXPECT_GE(e.upper, e.offset);
  for (int i = 0; i <= 20; ++i) {
    const std::int64_t ours = truth.since + length / 20 * i;
    EXPECT_LE(std::abs(e.ours_of(truth.theirs(ours)) - ours), e.error) << i;
  }
  const long double drift = 1 / (1 + truth.fast) - 1;
  EXPECT_LE(e.drift_lower, drift + 1e-12L);
  EXPECT_GE(e.drift_upper, drift - 1e-12L);
}

TEST(ClockFit, FindsOffsetAndDrift) {
  const Truth truth{137e6L, 20e-6L};
  const auto e = run(truth, {50'000, 50'000, 30'000}, 2000, 60 * kSecond);
  expect_holds(truth, e, 60 * kSecond);
  EXPECT_TRUE(e.drift_bounded);
  EXPECT_LT(std::abs(e.offset - true_offset(truth, e.at)), 20'000);
  EXPECT_LT(std::fabs(e.drift + 20e-6L), 2e-6L);
  EXPECT_LT(e.error, 100'000);
}

TEST(ClockFit, BoundsHoldWhateverTheClocksAndTheNetwork) {
  unsigned seed = 0;
  for (const long double fast : {-900e-6L, -20e-6L, 0.0L, 3e-6L, 500e-6L})
    for (const long double ahead : {-9e15L, -1e6L, 0.0L, 5e17L})
      for (const Link link : {Link{1'000, 1'000, 10'000}, Link{20'000'000, 100'000, 5'000'000}, Link{0, 0, 1}})
        for (const int messages : {1, 2, 40, 3000})
          for (const std::int64_t length : {kSecond / 100, 10 * kSecond, 36'000 * kSecond}) {
            SCOPED_TRACE(testing::Message() << "seed " << ++seed);
            Truth truth{ahead, fast, 20'000'000 * kSecond};
            expect_holds(truth, run(truth, link, messages, length, seed), length);
          }
}

TEST(ClockFit, AnAsymmetricNetworkIsInTheBounds) {
  // Asymmetric delay is invisible. The estimate is off by half the difference, which the bounds include.
  const Truth truth{-3e6L, 0};
  const auto e = run(truth, {10'000'000, 10'000, 1'000}, 500, 5 * kSecond);
  expect_holds(truth, e, 5 * kSecond);
  EXPECT_GT(std::abs(e.offset - true_offset(truth, e.at)), 4'000'000);
  EXPECT_GT(e.error, 4'000'000);
}

TEST(ClockFit, TheEstimateIsFromWhenSendsWereDone) {
  // The server works 20 ms before it answers, visible only to its own thread: the bounds are wide, the estimate is not.
  const std::int64_t offset = -3 * kSecond;
  ClockFit fit(time_from(100 * kSecond), time_from(101 * kSecond));
  for (std::int64_t t = 100 * kSecond; t < 101 * kSecond; t += 50'000'000) {
    const std::int64_t ours = t + offset;
    fit.before(time_from(ours), time_from(ours + 5'000), time_from(t + 60'000));
    fit.after(time_from(ours + 20'130'000), time_from(t + 70'000), time_from(t + 20'070'000));
  }
  const auto e = fit.estimate();
  EXPECT_LT(std::abs(e.offset - offset), 10'000);
  EXPECT_GT(e.upper - e.lower, 20'000'000);
  EXPECT_LE(e.lower, offset);
  EXPECT_GE(e.upper, offset);
}

TEST(ClockFit, OneDirectionBoundsOneSide) {
  ClockFit forth(time_from(10 * kSecond), time_from(12 * kSecond));
  forth.before(time_from(5 * kSecond), time_from(5 * kSecond), time_from(11 * kSecond));
  const auto e = forth.estimate();
  EXPECT_FALSE(e.determined);
  EXPECT_EQ(e.lower, -6 * kSecond - 1);  // at the midpoint drift makes no difference
  ClockFit back(time_from(10 * kSecond), time_from(12 * kSecond));
  back.after(time_from(5 * kSecond), time_from(12 * kSecond), time_from(12 * kSecond));
  EXPECT_FALSE(back.estimate().determined);
  EXPECT_EQ(back.estimate().upper, -7 * kSecond + 1'000'001);  // one second at 1000 ppm
}

TEST(ClockFit, NothingIsNothing) {
  const auto e = ClockFit(time_from(0), time_from(0)).estimate();
  EXPECT_FALSE(e.determined);
  EXPECT_EQ(e.forth + e.back, 0u);
}

TEST(ClockFit, WhatContradictsIsSaid) {
  // The other clock was set back by a second in the middle: no line fits.
  ClockFit fit(time_from(0), time_from(100 * kSecond));
  for (int i = 0; i < 100; ++i) {
    const std::int64_t ours = 1000 * kSecond + i * kSecond, theirs = i * kSecond - (i < 50 ? 0 : kSecond);
    fit.before(time_from(ours), time_from(ours), time_from(std::max<std::int64_t>(1, theirs) + 10));
    fit.after(time_from(ours + 10), time_from(std::max<std::int64_t>(1, theirs)),
              time_from(std::max<std::int64_t>(1, theirs)));
  }
  const auto e = fit.estimate();
  EXPECT_TRUE(e.determined);
  EXPECT_GT(e.contradiction, 100'000'000);
}

TEST(ClockFit, OneMessageEachWayClaimsNoDrift) {
  ClockFit fit(time_from(100 * kSecond), time_from(160 * kSecond));
  fit.before(time_from(10 * kSecond), time_from(10 * kSecond), time_from(110 * kSecond + 1'000'000));
  fit.after(time_from(10 * kSecond + 2'000'000), time_from(110 * kSecond + 1'200'000),
            time_from(110 * kSecond + 1'200'000));
  const auto e = fit.estimate();
  ASSERT_TRUE(e.determined);
  EXPECT_FALSE(e.drift_bounded);
  EXPECT_EQ(e.drift, 0);
  EXPECT_GE(e.error, 50'000'000);  // after 50 s, 1000 ppm are 50 ms
}

TEST(ClockFit, ExtremeTimes) {
  // A hostile capture may contain any time that the format allows.
  const Time low = time_from(1), high = formats::kMaxTime;
  ClockFit fit(low, high);
  for (const Time a : {low, high})
    for (const Time b : {low, high}) {
      fit.before(a, b, b);
      fit.after(a, a, b);
    }
  const auto e = fit.estimate();
  EXPECT_GT(e.contradiction, 0);
  (void)e.ours_of(high);
  (void)e.error_at(low);
  (void)chained(e, e);
}

TEST(ClockFit, ChainedBoundsHold) {
  const Truth b{5e9L, 30e-6L}, c{-2e9L, -10e-6L};
  const std::int64_t length = 30 * kSecond;
  const auto b_on_a = run(b, {100'000, 200'000, 50'000}, 500, length, 7);
  // c's truth relative to b's clock.
  const Truth on_b{c.ahead, c.fast, nanoseconds(b.theirs(b.since))};
  const auto c_on_b = run(on_b, {300'000, 100'000, 50'000}, 500, length, 8);
  const auto e = chained(b_on_a, c_on_b);
  for (int i = 0; i <= 20; ++i) {
    const std::int64_t ours = b.since + length / 20 * i;
    EXPECT_LE(std::abs(e.ours_of(on_b.theirs(nanoseconds(b.theirs(ours)))) - ours), e.error) << i;
  }
}

}  // namespace
}  // namespace tailcap::merge::clock_fit_test
