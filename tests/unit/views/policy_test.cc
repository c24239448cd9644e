#include <gtest/gtest.h>

#include <cmath>

#include "analyze/views/policy/sampler.h"
#include "tests/unit/views/policy_case.h"

namespace tailcap::policy {
namespace {

using model::policy::BreakerState;
using model::policy::PolicyOutcome;
using tests::at;
using tests::ms;
using PolicyReplay = tests::PolicyCase;

TEST_F(PolicyReplay, APercentileFiresAndResolves) {
  load(10, [](int second) { return second >= 3 && second < 6 ? 50.0 : 1.0; });
  const PolicyOutcome out = replayed("conditions: [{name: slow, at_least: {p95: 50ms}, over: 1s}]", 10);
  ASSERT_EQ(out.firings.size(), 1u);
  EXPECT_EQ(out.looks, 10u);
  // The look at 4 s is the first whose window is more than 5 % slow ones; at 7 s it has the last four of them.
  EXPECT_EQ(out.firings[0].from, at(4));
  EXPECT_EQ(out.firings[0].to, at(7));
  EXPECT_EQ(out.firings[0].values[0], 50e6);
}

TEST_F(PolicyReplay, ItHoldsForSoLong) {
  load(10, [](int second) { return second >= 3 && second < 6 ? 50.0 : 1.0; });
  EXPECT_EQ(replayed("conditions: [{name: slow, at_least: {p95: 50ms}, over: 1s, for: 2s}]", 10).firings.at(0).from,
            at(6));
  EXPECT_TRUE(replayed("conditions: [{name: slow, at_least: {p95: 50ms}, over: 1s, for: 3s}]", 10).firings.empty());
}

TEST_F(PolicyReplay, WhatIsNotResolvedAtTheEnd) {
  load(4, [](int second) { return second >= 3 ? 50.0 : 1.0; });
  const PolicyOutcome out = replayed("conditions: [{name: slow, at_least: {mean: 20ms}, over: 1s}]", 4);
  ASSERT_EQ(out.firings.size(), 1u);
  EXPECT_FALSE(formats::known(out.firings[0].to));
}

TEST_F(PolicyReplay, APercentileOfTooFewIsUnknown) {
  for (int i = 0; i < 19; ++i) served(0.1 + i * 0.01, 50);
  EXPECT_TRUE(replayed("conditions: [{name: slow, at_least: {p95: 1ms}, over: 1s}]", 1).firings.empty());
  served(0.5, 50);
  EXPECT_EQ(replayed("conditions: [{name: slow, at_least: {p95: 1ms}, over: 1s}]", 1).firings.size(), 1u);
}

TEST_F(PolicyReplay, AFewAreNotFewWhereTheWindowBeginsBeforeTheRecording) {
  served(0.5, 1);
  served(5.5, 1);
  const PolicyOutcome out = replayed("conditions: [{name: idle, at_most: {count: 0}, over: 2s}]", 6);
  ASSERT_EQ(out.firings.size(), 1u);
  EXPECT_EQ(out.firings[0].from, at(3));
  EXPECT_EQ(out.firings[0].to, at(6));
}

TEST_F(PolicyReplay, BothEndsOfARequestCountOnce) {
  served(0.5, 1);
  model::Request call = made(0.4, 2);
  call.role = model::Role::client;
  call.peer = {1, 3};
  table_.rows.push_back(call);
  EXPECT_EQ(replayed("sampling: {rate: 100%}", 1).sampling->all.requests, 1u);
}

TEST_F(PolicyReplay, TheFirstAdaptationThatAppliesDecides) {
  load(6, [](int) { return 1.0; });
  const PolicyOutcome out = replayed(R"(
conditions:
  - {name: early, at_most: {count: 1000}, over: 2s}
  - {name: busy, at_least: {rate: 50}, over: 1s}
sampling:
  rate: 100%
  adapt: [{when: early, rate: 0%}, {when: busy, rate: 0%, route: /none}, {when: busy, rate: 50%}]
)",
                                     6);
  ASSERT_TRUE(out.sampling);
  // Before 1 s everything, from 1 s to 2 s the half, nothing from then on.
  ASSERT_EQ(out.sampling->changes.size(), 3u);
  EXPECT_EQ(out.sampling->changes[1].from, at(1));
  EXPECT_EQ(out.sampling->changes[2].from, at(2));
  EXPECT_EQ(out.sampling->all.never, 400u);
  EXPECT_GE(out.sampling->all.kept, 100u + 20u);
  EXPECT_LE(out.sampling->all.kept, 100u + 80u);
}

TEST_F(PolicyReplay, EstimatesAreUnbiased) {
  // The mean over many recordings of what is estimated at 10 % is the truth.
  double sum = 0;
  constexpr int kRecordings = 200;
  load(10, [](int) { return 1.0; });
  for (int i = 0; i < kRecordings; ++i) {
    table_.salt = static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15u + 1;
    sum += replayed("sampling: {rate: 10%}", 10).sampling->all.estimate.count;
  }
  // 1,000 requests; a standard deviation of 95 in one recording, of 6.7 in the mean of 200.
  EXPECT_NEAR(sum / kRecordings, 1000, 30);
}

TEST_F(PolicyReplay, ABreakerOpensTriesAndCloses) {
  // Failures until 3 s.
  for (int i = 0; i < 600; ++i) served(i * 0.01, 1, i < 300 ? 503 : 200);
  const PolicyOutcome out = replayed(R"(
conditions: [{name: failing, at_least: {errors: 50%}, over: 1s}]
breakers: [{name: pay, route: '*', open: [failing], open_for: 1s, half_open: {requests: 2}}]
)",
                                     6);
  const auto& changes = out.breakers.at(0).changes;
  ASSERT_EQ(changes.size(), 5u);
  const std::pair<double, BreakerState> expected[] = {{1, BreakerState::open},
                                                      {2, BreakerState::half_open},
                                                      {3, BreakerState::open},
                                                      {4, BreakerState::half_open},
                                                      {5, BreakerState::closed}};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(changes[i].at, at(expected[i].first));
    EXPECT_EQ(changes[i].to, expected[i].second);
  }
  // From 1 s to 5 s, but for two probes each time; those until 3 s had failed.
  EXPECT_EQ(out.breakers[0].rejected, 400u - 4u);
  EXPECT_EQ(out.breakers[0].rejected_failed, 200u - 2u);
  EXPECT_EQ(out.breakers[0].not_closed, ms(4000));
}

TEST_F(PolicyReplay, SoManyLooksAreRefused) {
  served(1, 1);
  EXPECT_THROW(replayed("every: 200ms\nsampling: {rate: 1%}", 1'000'000), ReplayError);
}

TEST(PlaceOf, IsTheSameEverywhereAndEven) {
  // By an independent implementation.
  EXPECT_EQ(std::ldexp(place_of("a"), 53), 4596324399134681.0);
  EXPECT_EQ(std::ldexp(place_of("0af7651916cd43dd8448eb211c80319c"), 53), 6634258701927627.0);
  int low = 0;
  for (int i = 0; i < 10'000; ++i) low += place_of("request-" + std::to_string(i)) < 0.25;
  EXPECT_NEAR(low, 2500, 150);
}

TEST(Hold, ForSoLong) {
  Hold hold(ms(2000));
  EXPECT_FALSE(hold.held(true, at(1)));
  EXPECT_FALSE(hold.held(true, at(2)));
  EXPECT_FALSE(hold.held(false, at(2.5)));
  EXPECT_FALSE(hold.held(true, at(3)));
  EXPECT_TRUE(hold.held(true, at(5)));
}

}  // namespace
}  // namespace tailcap::policy
