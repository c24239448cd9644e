#include "analyze/tail/rows/quantiles.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tailcap::tail {
namespace {

using model::Quantile;
using model::Support;

// Beta(a, 1): x^a; Beta(1, b): 1 - (1 - x)^b; Beta(2, 2): 3x² - 2x³; symmetry; and tabled values (R's qbeta).
TEST(BetaQuantile, KnownValues) {
  for (const double p : {0.025, 0.5, 0.975}) {
    for (const double a : {0.5, 1.0, 3.7, 250.0}) {
      EXPECT_NEAR(beta_quantile(p, a, 1), std::pow(p, 1 / a), 1e-9);
      EXPECT_NEAR(beta_quantile(p, 1, a), 1 - std::pow(1 - p, 1 / a), 1e-9);
    }
    const double x = beta_quantile(p, 2, 2);
    EXPECT_NEAR(3 * x * x - 2 * x * x * x, p, 1e-9);
    EXPECT_NEAR(beta_quantile(p, 990, 11), 1 - beta_quantile(1 - p, 11, 990), 1e-9);
  }
  // Clopper-Pearson for 5 of 10: 0.1870860 to 0.8129140.
  EXPECT_NEAR(beta_quantile(0.025, 5, 6), 0.1870860, 1e-6);
  EXPECT_NEAR(beta_quantile(0.975, 6, 5), 0.8129140, 1e-6);
  // For 1 of 20: 0.0012651 to 0.2487328.
  EXPECT_NEAR(beta_quantile(0.025, 1, 20), 0.0012651, 1e-6);
  EXPECT_NEAR(beta_quantile(0.975, 2, 19), 0.2487328, 1e-6);
}

std::vector<std::int64_t> independent(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> values(n);
  for (auto& v : values) v = 1 + static_cast<std::int64_t>(random() % 1'000'000'000);
  return values;
}

TEST(Sample, RankIsExactAtTheBorders) {
  std::vector<std::int64_t> values;
  for (int i = 1; i <= 100; ++i) values.push_back(i);
  const Sample s(values);
  EXPECT_EQ(s.at(0.5), 50);
  EXPECT_EQ(s.at(0.95), 95);
  EXPECT_EQ(s.at(0.99), 99);
  EXPECT_EQ(s.at(0.999), 100);
  EXPECT_EQ(s.at(0), 1);
  EXPECT_EQ(Sample({7}).at(0.99), 7);
}

// p99 has an upper bound from 368 independent requests on, p95 from 72, p99.9 from 3688.
TEST(Support, UpperBoundNeedsEnoughRequests) {
  const auto support = [](std::size_t n, double q) {
    std::vector<std::int64_t> values(n);
    std::mt19937_64 random(n);
    // Shuffled distinct values: independent up to the estimate; a short series forces the design effect to 1.
    for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<std::int64_t>(i + 1);
    std::shuffle(values.begin(), values.end(), random);
    return Sample(values).quantile(q, {});
  };
  for (const auto& [q, least] : {std::pair{0.5, 6.0}, {0.95, 72.0}, {0.99, 368.0}, {0.999, 3688.0}}) {
    int bounded = 0, unbounded = 0;
    for (std::size_t n = 2; n < 5000; n = n * 5 / 4 + 1) {
      const Quantile result = support(n, q);
      const bool enough = std::pow(q, result.effective_n) <= 0.025 && std::pow(1 - q, result.effective_n) <= 0.025;
      EXPECT_EQ(enough, result.support != Support::lower_only && result.support != Support::refused) << n << ' ' << q;
      if (result.effective_n >= least || result.effective_n < least - 1) {
        EXPECT_EQ(enough, result.effective_n >= least) << n << ' ' << q;
      }
      (enough ? bounded : unbounded)++;
      if (result.support == Support::full) {
        EXPECT_TRUE(result.reason.empty());
        EXPECT_LE(result.low, result.value);
        EXPECT_GE(result.high, result.value);
      } else {
        EXPECT_FALSE(result.reason.empty());
      }
    }
    EXPECT_GT(bounded, 0);
    EXPECT_GT(unbounded, 0);
  }
}

TEST(Support, NothingIsRefusedWithAReason) {
  const Quantile q = Sample({}).quantile(0.5, {});
  EXPECT_EQ(q.support, Support::refused);
  EXPECT_FALSE(q.reason.empty());
}

TEST(Support, DoubtfulRequestsWidenAndThenRefuse) {
  const Sample s(independent(100'000, 3));
  const Quantile clean = s.quantile(0.99, {});
  EXPECT_EQ(clean.support, Support::full);
  const Quantile few = s.quantile(0.99, {.tainted = 50});
  EXPECT_EQ(few.support, Support::full);
  EXPECT_LE(few.low, clean.low);
  const Quantile some = s.quantile(0.99, {.tainted = 500});  // 0.5 %: p99 lies between p98.5 and p99.5
  EXPECT_EQ(some.support, Support::low);
  EXPECT_LE(some.low.count(), s.at((0.99 - 500.0 / 100'500) / (1 - 500.0 / 100'500)));
  EXPECT_GE(some.high.count(), s.at(0.99 / (1 - 500.0 / 100'500)));
  EXPECT_EQ(s.quantile(0.99, {.tainted = 1100}).support, Support::refused);
  EXPECT_NE(s.quantile(0.5, {.tainted = 1100}).support, Support::refused);
  EXPECT_EQ(s.quantile(0.99, {.in_flight = 1100}).support, Support::refused);
  EXPECT_EQ(s.quantile(0.999, {.in_flight = 500}).support, Support::full);
  EXPECT_NE(s.quantile(0.9, {.in_flight = 1100}).support, Support::refused);
}

TEST(Support, FewPeriodsOrBurstsHaveNoInterval) {
  std::vector<std::int64_t> values = independent(2000, 4);
  // One burst carries the whole tail.
  for (std::size_t i = 900; i < 960; ++i) values[i] += 10'000'000'000;
  const Quantile burst = Sample(values).quantile(0.99, {});
  EXPECT_TRUE(burst.support == Support::no_interval || burst.support == Support::lower_only);
  EXPECT_FALSE(burst.reason.empty());
  // Two levels that last for a quarter of the capture each: four periods.
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = (i / 500 % 2 ? 10 : 1) * (1000 + static_cast<std::int64_t>(i % 97));
  const Quantile q = Sample(values).quantile(0.5, {});
  EXPECT_NE(q.support, Support::full);
  EXPECT_FALSE(q.reason.empty());
}

TEST(CorrelationTime, OneForIndependentAndLongForBursts) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  std::vector<double> white(20'000), red(20'000);
  double level = 0;
  for (std::size_t i = 0; i < white.size(); ++i) {
    white[i] = normal(random);
    level = 0.98 * level + normal(random);  // integrated autocorrelation time (1 + a) / (1 - a) = 99
    red[i] = level;
  }
  EXPECT_LT(correlation_time(white), 2.5);
  EXPECT_GT(correlation_time(red), 50);
  EXPECT_LT(correlation_time(red), 250);
  EXPECT_EQ(correlation_time(std::vector<double>(100, 3.0)), 1);
}

// How often the 95 % interval contains the true value. Fixed seeds: the figures are the same on every run.
double coverage(double q, std::size_t n, double a, int runs, double z) {
  int hits = 0, counted = 0;
  for (int run = 0; run < runs; ++run) {
    std::mt19937_64 random(static_cast<std::uint64_t>(run) + 100);
    std::normal_distribution<double> normal;
    std::vector<std::int64_t> values(n);
    double level = normal(random);
    const double fresh = std::sqrt(1 - a * a);
    for (auto& v : values) {
      level = a * level + fresh * normal(random);
      v = static_cast<std::int64_t>(1e7 * std::exp(0.35 * normal(random) + 0.15 * level));
    }
    const double truth = 1e7 * std::exp(z * std::sqrt(0.35 * 0.35 + 0.15 * 0.15));
    const Quantile result = Sample(std::move(values)).quantile(q, {});
    if (result.support != Support::full && result.support != Support::low) continue;
    ++counted;
    hits += static_cast<double>(result.low.count()) <= truth && truth <= static_cast<double>(result.high.count());
  }
  return static_cast<double>(hits) / std::max(1, counted);
}

TEST(Coverage, IndependentRequests) {
  EXPECT_GE(coverage(0.5, 2000, 0, 200, 0), 0.92);
  EXPECT_GE(coverage(0.99, 5000, 0, 200, 2.3263479), 0.92);
}

TEST(Coverage, CorrelatedRequests) {
  EXPECT_GE(coverage(0.5, 20'000, 0.99, 60, 0), 0.85);
  EXPECT_GE(coverage(0.99, 20'000, 0.99, 60, 2.3263479), 0.88);
}

// 1,500 requests of 4 ms and a little, all different, and every sixteenth gave up after 400 ms.
struct GivenUp {
  explicit GivenUp(std::int64_t after) {
    for (std::int64_t i = 0; i < 1600; ++i) {
      const bool given_up = i % 16 == 7;
      durations.push_back(given_up ? after : 4'000'000 + i * 997 % 1600);
      if (given_up) without_end.broken.push_back(after);
    }
  }
  Sample sample() const { return Sample(durations, {}, without_end); }
  std::vector<std::int64_t> durations;
  WithoutEnd without_end;
};

TEST(WithoutEnd, APercentileAmongThoseThatBrokeOffIsALowerBound) {
  const Sample s = GivenUp(400'000'000).sample();
  const Shortfall none{.seconds = 10};
  for (const double q : {0.95, 0.99, 0.999}) {
    const Quantile result = s.quantile(q, none);
    EXPECT_EQ(result.support, Support::at_least) << q;
    EXPECT_EQ(result.value.count(), 400'000'000) << q;
    const ObservedBounds bounds = s.bounds(q, none);
    EXPECT_EQ(bounds.value, 400'000'000);
    EXPECT_EQ(bounds.least, 400'000'000);
    EXPECT_EQ(bounds.most, kEndless);
    EXPECT_EQ(bounds.requests, 1600u);
  }
  const Quantile median = s.quantile(0.5, none);
  EXPECT_EQ(median.support, Support::full);
  const ObservedBounds bounds = s.bounds(0.5, none);
  EXPECT_EQ(median.value.count(), bounds.value);
  EXPECT_EQ(bounds.least, bounds.value);
  EXPECT_EQ(bounds.most, bounds.value);
}

// Where they broke off sooner than all others ended, they can still be the slowest: both ends of that are known.
TEST(WithoutEnd, ThoseThatBrokeOffSoonCouldBeTheSlowest) {
  const GivenUp soon(1000);
  std::vector<std::int64_t> ended;
  for (const std::int64_t ns : soon.durations)
    if (ns != 1000) ended.push_back(ns);
  std::sort(ended.begin(), ended.end());
  const ObservedBounds bounds = soon.sample().bounds(0.5, {});
  EXPECT_EQ(bounds.value, ended[800 - 100 - 1]);
  EXPECT_EQ(bounds.most, ended[800 - 1]);
  const Quantile median = soon.sample().quantile(0.5, {.seconds = 10});
  EXPECT_EQ(median.value.count(), bounds.value);
  EXPECT_TRUE(median.support == Support::at_least || median.high.count() >= bounds.most);
  EXPECT_EQ(soon.sample().quantile(0.99, {.seconds = 10}).support, Support::at_least);
}

// One rule for those that the recording cut off: beyond the percentile they count, below it they are left out.
TEST(WithoutEnd, ThoseThatWereCutOffCountBeyondThePercentile) {
  const std::vector<std::int64_t> durations = independent(2000, 5);
  WithoutEnd hung, begun;
  for (int i = 0; i < 40; ++i) {
    hung.cut_off.push_back(20'000'000'000);
    begun.cut_off.push_back(1);
  }
  const Shortfall shortfall{.in_flight = 40, .seconds = 100};
  const Quantile p99 = Sample(durations, {}, hung).quantile(0.99, shortfall);
  EXPECT_EQ(p99.support, Support::at_least);
  EXPECT_EQ(p99.value.count(), 20'000'000'000);
  EXPECT_EQ(Sample(durations, {}, begun).quantile(0.99, shortfall).support, Support::refused);
  EXPECT_EQ(Sample(durations).quantile(0.99, shortfall).support, Support::refused);
}

TEST(Durations, WhatARequestWithoutAnEndLasted) {
  model::Request row;
  row.start = formats::time_from(1000);
  row.outcome = model::Outcome::no_response;
  row.at_least = 400;
  const formats::Time end = formats::time_from(5000);
  EXPECT_EQ(lasted(row, end), 400);
  row.outcome = model::Outcome::in_flight;
  EXPECT_EQ(lasted(row, end), 4000);
  row.taints = static_cast<model::Taints>(model::Taint::left_out);
  EXPECT_EQ(lasted(row, end), -1);  // its connection is not recorded from some time on
  row.taints = 0;
  row.outcome = model::Outcome::server_error;
  row.has_duration = true;  // an error that was answered is complete
  EXPECT_EQ(lasted(row, end), -1);
}

}  // namespace
}  // namespace tailcap::tail
