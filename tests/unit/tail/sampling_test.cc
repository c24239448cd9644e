// The proof that intervals of a sample of connections are honest: from one known population of connections, which
// differ in their number of requests and in how slow they are, many samples are drawn by the rule of the recorder, and
// the intervals are held against the whole.
#include "analyze/model/sampling/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "analyze/tail/rows/quantiles.h"
#include "analyze/tail/study.h"
#include "bpf/event.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests {
namespace {

using model::Label;
using model::Sampling;

constexpr std::uint32_t kOf = 4;
constexpr std::size_t kSeeds = 200;

struct One {
  std::int64_t start = 0;  // ns
  std::uint32_t connection = 0;
  std::int64_t cpu = 0, lock = 0;
  std::int64_t duration() const { return cpu + lock; }
};

// Unequal connections, each with a speed and a share of requests behind a lock of its own, over ten minutes.
std::vector<One> population(std::size_t connections, double mean_requests) {
  std::mt19937_64 random(11);
  std::normal_distribution<> normal;
  std::geometric_distribution<> more(1 / mean_requests);
  std::uniform_real_distribution<> uniform(0, 1);
  std::vector<One> all;
  for (std::uint32_t c = 1; c <= connections; ++c) {
    const double speed = std::exp(0.4 * normal(random)), locked = uniform(random) < 0.2 ? 0.2 : 0.01;
    double at = 600e9 * uniform(random);
    for (int n = 1 + more(random); n > 0; --n) {
      One& one = all.emplace_back();
      one.start = static_cast<std::int64_t>(at);
      one.connection = c;
      one.cpu = static_cast<std::int64_t>(5e6 * speed * std::exp(0.4 * normal(random)));
      if (uniform(random) < locked) one.lock = static_cast<std::int64_t>(20e6 * (0.5 + uniform(random)));
      at += static_cast<double>(one.duration()) + 50e6 * uniform(random);
    }
  }
  std::sort(all.begin(), all.end(), [](const One& a, const One& b) { return a.start < b.start; });
  return all;
}

// By the recorder's rule: 127.0.0.1, a port for each connection.
bool chosen(std::uint32_t connection, std::uint32_t seed, std::uint32_t of) {
  const std::uint64_t loopback = 0x0100007f'ffff0000u;
  const bpf::connection_end client{0, loopback, 20'000 + connection}, server{0, loopback, 8080};
  return bpf::connection_number(seed, &client, &server) < bpf::sampling_limit_for(of);
}

std::vector<One> sample(const std::vector<One>& all, std::uint32_t seed, std::uint32_t of = kOf) {
  std::vector<One> out;
  std::copy_if(all.begin(), all.end(), std::back_inserter(out),
               [&](const One& one) { return chosen(one.connection, seed, of); });
  return out;
}

std::int64_t true_quantile(const std::vector<One>& all, double q) {
  std::vector<std::int64_t> sorted;
  for (const One& one : all) sorted.push_back(one.duration());
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size()) - 1e-9)) - 1];
}

// As many of n as an interval of 95 % has to hold: less would be a chance of 1 in 2,000.
double least(std::size_t n) {
  const double k = static_cast<double>(n);
  return 0.95 * k - 3.3 * std::sqrt(0.05 * 0.95 * k);
}

struct Held {
  std::size_t given = 0, held = 0;
  void add(double truth, double low, double high) {
    ++given;
    held += low <= truth && truth <= high;
  }
};

const model::Study& study_of(TailCase& c, const std::vector<One>& requests, std::uint32_t of) {
  std::uint32_t index = 0;
  for (const One& one : requests) {
    model::Request& row = c.add("/cart", one.start, {{Label::cpu_user, one.cpu}});
    c.table.partitions = {};
    row.id = {one.connection, ++index};
    row.duration = model::Duration{one.duration()};
    row.first_byte = row.duration;
    row.phases[4] = one.duration();
    c.keep();
  }
  c.study.quality.sampling.of = of;
  return c.run();
}

TEST(SampledRoute, IntervalsHoldTheWhole) {
  const std::vector<One> all = population(1500, 8);
  Held count, rate;
  std::array<Held, 3> quantiles;
  constexpr std::array kWhich = {0, 2, 3};  // p50, p95, p99
  std::array<std::int64_t, 3> truth;
  for (std::size_t i = 0; i < truth.size(); ++i)
    truth[i] = true_quantile(all, model::kQuantiles[static_cast<std::size_t>(kWhich[i])]);
  double mean = 0;
  for (std::uint32_t seed = 1; seed <= kSeeds; ++seed) {
    TailCase c;
    const std::vector<One> some = sample(all, seed);
    const model::RouteStudy& route = study_of(c, some, kOf).routes.at(0);
    ASSERT_TRUE(route.all);
    ASSERT_TRUE(route.all->interval) << route.all->reason;
    EXPECT_EQ(route.count, some.size());
    EXPECT_DOUBLE_EQ(route.all->value, static_cast<double>(kOf * some.size()));
    mean += route.all->value / kSeeds;
    count.add(static_cast<double>(all.size()), route.all->low, route.all->high);
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const model::Quantile& q = route.latency[static_cast<std::size_t>(kWhich[i])];
      if (q.support == model::Support::full || q.support == model::Support::low)
        quantiles[i].add(static_cast<double>(truth[i]), static_cast<double>(q.low.count()),
                         static_cast<double>(q.high.count()));
    }
  }
  // Unbiased: within four of its standard errors, of some 3 % for one sample.
  EXPECT_NEAR(mean / static_cast<double>(all.size()), 1, 0.01);
  EXPECT_GE(static_cast<double>(count.held), least(count.given)) << count.held << " of " << count.given;
  for (const Held& q : quantiles) {
    EXPECT_GE(q.given, kSeeds * 9 / 10);
    EXPECT_GE(static_cast<double>(q.held), least(q.given)) << q.held << " of " << q.given;
  }
}

// Were requests taken for independent, intervals would be too narrow: the design effect is what makes them honest.
TEST(SampledRoute, IndependentRequestsWouldBeTooSure) {
  const std::vector<One> all = population(1500, 8);
  const double truth = static_cast<double>(true_quantile(all, 0.5));
  Held as_independent, as_sampled;
  for (std::uint32_t seed = 1; seed <= kSeeds; ++seed) {
    std::vector<std::int64_t> durations;
    std::vector<std::uint32_t> connections;
    for (const One& one : sample(all, seed)) {
      durations.push_back(one.duration());
      connections.push_back(one.connection);
    }
    std::vector<std::int64_t> shuffled = durations;
    std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937_64(seed));
    const auto add = [&](const model::Quantile& q, Held& held) {
      held.add(truth, static_cast<double>(q.low.count()), static_cast<double>(q.high.count()));
    };
    add(tail::Sample(shuffled).quantile(0.5, {}), as_independent);
    add(tail::Sample(durations, connections).quantile(0.5, {}), as_sampled);
  }
  EXPECT_LT(static_cast<double>(as_independent.held), 0.85 * kSeeds);
  EXPECT_GE(static_cast<double>(as_sampled.held), least(kSeeds));
}

TEST(SampledRoute, IntervalsOfLabelsHoldTheWhole) {
  const std::vector<One> all = population(1500, 8);
  const auto study = [](const std::vector<One>& requests, std::uint32_t of, TailCase& c) {
    std::uint32_t index = 0;
    for (const One& one : requests) {
      model::RequestTable& table = c.table;
      model::Request& row = c.add("/cart", one.start, {});
      row.id = {one.connection, ++index};
      std::vector<model::AccountPart> parts = {
          {model::Phase::work, Label::cpu_user, model::Evidence::measured, 0, one.cpu}};
      if (one.lock > 0)
        parts.push_back({model::Phase::work, Label::lock_futex, model::Evidence::measured, 0, one.lock});
      row.duration = row.first_byte = model::Duration{one.duration()};
      row.phases[4] = one.duration();
      table.partitions.add(row.id, parts, {});
      c.keep();
    }
    c.study.quality.sampling.of = of;
    return tail_of(c.run());
  };
  TailCase whole;
  const model::TailStudy truth = study(all, 1, whole);
  constexpr std::size_t kFewer = 60;
  Held gap, lock;
  for (std::uint32_t seed = 1; seed <= kFewer; ++seed) {
    TailCase c;
    const model::TailStudy tail = study(sample(all, seed), kOf, c);
    ASSERT_TRUE(tail.intervals);
    // The slow ones of the sample begin at another quantile where they are fewer than 2,000: those are not compared.
    if (tail.slow_from != truth.slow_from) continue;
    gap.add(static_cast<double>(truth.gap()), static_cast<double>(tail.gap_low), static_cast<double>(tail.gap_high));
    const model::LabelDifference* d = difference_of(tail, Label::lock_futex);
    ASSERT_TRUE(d);
    lock.add(static_cast<double>(difference_of(truth, Label::lock_futex)->difference()), static_cast<double>(d->low),
             static_cast<double>(d->high));
  }
  EXPECT_GE(gap.given, kFewer * 9 / 10);
  EXPECT_GE(static_cast<double>(gap.held), least(gap.given)) << gap.held << " of " << gap.given;
  EXPECT_GE(static_cast<double>(lock.held), least(lock.given)) << lock.held << " of " << lock.given;
}

TEST(SampledRoute, FewConnectionsHaveNoInterval) {
  const std::vector<One> all = population(40, 200);
  TailCase c;
  const model::RouteStudy& route = study_of(c, sample(all, 3), kOf).routes.at(0);
  ASSERT_TRUE(route.all);
  EXPECT_FALSE(route.all->interval);
  EXPECT_NE(route.all->reason, "");
  EXPECT_EQ(route.latency[0].support, model::Support::no_interval);
  // What is only known of recorded connections is not said of all.
  EXPECT_TRUE(route.load.in_flight.empty());
  EXPECT_FALSE(route.load.fan_out);
  EXPECT_EQ(route.load.little.in_flight, 0);
}

TEST(SampledRoute, OneConnectionWithMostRequestsHasNoInterval) {
  std::vector<double> sizes(500, 1.0);
  EXPECT_TRUE(model::whole_of(sizes, 16).interval);
  sizes.push_back(2000);
  const model::Estimate estimate = model::whole_of(sizes, 16);
  EXPECT_FALSE(estimate.interval);
  EXPECT_EQ(estimate.value, 16 * 2500.0);
}

// Whichever end asks, and whether it knows IPv4 addresses as such or as ones of IPv6; by numbers computed elsewhere.
TEST(SamplingRule, BothEndsChooseAlike) {
  const bpf::connection_end one{0, 0x0100007f'ffff0000u, 40'000}, other{0, 0x0200007f'ffff0000u, 80};
  EXPECT_EQ(bpf::connection_number(7, &one, &other), bpf::connection_number(7, &other, &one));
  EXPECT_NE(bpf::connection_number(7, &one, &other), bpf::connection_number(8, &one, &other));
  // sampling_test.py's rule in Python.
  EXPECT_EQ(bpf::connection_number(7, &one, &other), 1691293788u);
  std::size_t kept[3] = {};
  for (std::uint32_t c = 0; c < 40'000; ++c) {
    const bool few = chosen(c, 5, 64), more = chosen(c, 5, 16), most = chosen(c, 5, 2);
    EXPECT_TRUE(!few || more);
    EXPECT_TRUE(!more || most);
    kept[0] += few;
    kept[1] += more;
    kept[2] += most;
  }
  const double shares[] = {1.0 / 64, 1.0 / 16, 0.5};
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(static_cast<double>(kept[i]), 40'000 * shares[i], 4 * std::sqrt(40'000 * shares[i] * (1 - shares[i])));
}

TEST(SamplingNote, IsReadOrNotBelieved) {
  const auto of = [](std::vector<std::pair<std::string, std::string>> notes) { return model::sampling_of(notes); };
  const std::string key(model::kSamplingNote);
  EXPECT_FALSE(of({}).some());
  EXPECT_FALSE(of({{"another", "1/16"}}).some());
  const Sampling usual = of({{key, "1/16 seed 42"}});
  EXPECT_TRUE(usual.scales());
  EXPECT_EQ(usual.of, 16u);
  EXPECT_EQ(usual.seed, 42u);
  EXPECT_TRUE(of({{key, "1/16"}}).scales());
  EXPECT_FALSE(of({{key, "1/16"}}).seed);
  for (const char* const text :
       {"mixed", "1/1", "1/0", "1/99999999", "2/3", "", "1/16 seed", "1/16 seed 5 x", "1/-4"}) {
    const Sampling unknown = of({{key, text}});
    EXPECT_TRUE(unknown.some()) << text;
    EXPECT_FALSE(unknown.scales()) << text;
  }
  EXPECT_FALSE(of({{key, "1/16"}, {key, "1/4"}}).scales());
  const Sampling none = of({{key, "none"}});
  EXPECT_TRUE(none.none && none.some());
  EXPECT_FALSE(none.mixed || none.scales());
  EXPECT_TRUE(of({{key, "none"}, {key, "1/4"}}).mixed);
  EXPECT_FALSE(of({{key, "none"}, {key, "1/4"}}).none);
  EXPECT_TRUE(of({{key, "none of them"}}).mixed);
  EXPECT_FALSE(of({{key, "1/16"}, {"tailcap.cut.requests", "100"}}).scales());
  Sampling ends;
  EXPECT_TRUE(model::read_ends("70 recorded, 1020 left out", ends));
  EXPECT_EQ(ends.ends_recorded, 70u);
  EXPECT_EQ(ends.ends_left_out, 1020u);
  EXPECT_FALSE(model::read_ends("70 recorded, -1 left out", ends));
  EXPECT_FALSE(model::read_ends("70 recorded, 1020 left out.", ends));
}

}  // namespace
}  // namespace tailcap::tests
