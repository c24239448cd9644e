#include "analyze/compare/plan/power.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "analyze/compare/confirm.h"
#include "analyze/compare/plan/plan.h"
#include "analyze/query/gate_expression.h"
#include "tests/unit/compare/run_case.h"

namespace tailcap::tests {
namespace {

using compare::GateDesign;
using compare::Pairs;
using compare::Power;
using model::gate::CompareOptions;
using model::gate::Comparison;
using model::gate::Gate;
using model::gate::GateVerdict;
using model::gate::Metric;

constexpr double kSpread = 0.03;  // of the logarithm, from run to run

CompareOptions on_p99(double threshold, std::size_t screened) {
  CompareOptions options;
  options.gates = {{{Metric::Kind::p99, 0}, "", threshold, Gate::Unit::ratio, "p99"}};
  options.screened = screened;
  return options;
}

// Every request of a run takes equally long, so that its p99 is drawn from a known distribution.
void draw(TestRun& run, std::mt19937_64& random, double slower) {
  std::normal_distribution<double> normal(0, kSpread);
  RouteRun& route = add_route(run, "/pay");
  const auto ns = std::llround(10e6 * slower * std::exp(normal(random)));
  for (int i = 0; i < 500; ++i) add_request(run, route, ns);
}

// The share of pairs of versions that fail, by compare::confirm itself, as tailcap gate adds runs.
double share_that_fails(std::size_t k, std::size_t fresh, double threshold, double slower, int pairs) {
  std::mt19937_64 random(7);
  int failed = 0;
  for (int i = 0; i < pairs; ++i) {
    Sides sides;
    for (std::size_t done = 0; done < k + fresh;) {
      const std::size_t runs = std::min(k, k + fresh - done);
      add_abba(sides, static_cast<int>(runs),
               [&](TestRun& run, bool later, int) { draw(run, random, later ? slower : 1); });
      done += runs;
      const Comparison c = compare::confirm(sides.base, sides.fresh, on_p99(threshold, k));
      failed += c.verdict == GateVerdict::fail;
      if (c.verdict != GateVerdict::undecided || c.gates[0].estimate.difference <= threshold) break;
    }
  }
  return static_cast<double>(failed) / pairs;
}

// 80 % of 150 pairs: 73 to 87 % (two standard errors).
TEST(Power, TheDetectableIncreaseIsFoundInFourOfFive) {
  for (const auto& [fresh, threshold] : {std::pair<std::size_t, double>{3, 0.05}, {5, 0.05}, {13, 0.02}, {15, 0.02}}) {
    const auto units = Power({5, fresh, 1, Pairs::no}).detectable(std::log1p(threshold) / kSpread);
    ASSERT_TRUE(units);
    EXPECT_NEAR(share_that_fails(5, fresh, threshold, std::exp(*units * kSpread), 150), 0.8, 0.07) << fresh;
  }
}

TEST(Power, EqualVersionsSeldomFailAndPassWhereTheThresholdIsFarFromTheNoise) {
  const Power power({5, 15, 1, Pairs::no});
  EXPECT_LT(power.outcome(1, 0).fails, 0.005);
  const double threshold = power.passable();
  EXPECT_NEAR(power.outcome(threshold, 0).passes, 0.9, 0.01);
  EXPECT_GT(power.outcome(2 * threshold, 0).passes, 0.99);
  EXPECT_LT(power.outcome(threshold / 2, 0).passes, 0.7);
}

TEST(Power, WithoutFreshRunsNothingIsFound) { EXPECT_FALSE(Power({5, 0, 1, Pairs::no}).detectable(1)); }

TEST(Power, MoreRunsFindLessAndMoreGatesFindMore) {
  const double once = *Power({5, 5, 1, Pairs::no}).detectable(0.5);
  EXPECT_LT(*Power({5, 15, 1, Pairs::no}).detectable(0.5), once);
  EXPECT_GT(*Power({5, 5, 6, Pairs::no}).detectable(0.5), once);
}

std::vector<TestRun> runs_of_one_version(int n, int requests = 500) {
  std::mt19937_64 random(3);
  std::vector<TestRun> runs;
  for (int i = 0; i < n; ++i) {
    runs.push_back(run_at(100 * i));
    draw(runs.back(), random, 1);
    runs.back().routes[0].requests.resize(static_cast<std::size_t>(requests));
    runs.back().requests = static_cast<std::uint64_t>(requests);
  }
  return runs;
}

TEST(Plan, KnowsTheNoiseAndTheRunsThatABudgetHasTimeFor) {
  CompareOptions options;
  options.screened = 5;
  const auto plan = compare::plan(runs_of_one_version(40), options, 8).plan;
  ASSERT_TRUE(plan.made);
  EXPECT_EQ(plan.runs, 20u);
  // 10 runs of 8 s: 80 s; 3 more of each side 48 s.
  ASSERT_EQ(plan.budgets.size(), 3u);
  EXPECT_EQ(plan.budgets[0].fresh, 0u);
  EXPECT_EQ(plan.budgets[1].fresh, 13u);
  EXPECT_EQ(plan.budgets[2].fresh, 30u);
  const auto p99 = std::ranges::find_if(plan.gates, [](auto& g) { return g.metric.kind == Metric::Kind::p99; });
  ASSERT_NE(p99, plan.gates.end());
  EXPECT_NEAR(p99->noise, kSpread, 0.01);
  EXPECT_EQ(p99->detectable[0], model::gate::kNever);        // nothing confirms
  EXPECT_LT(p99->detectable[2], p99->detectable[1] * 1.01);  // by simulation
  EXPECT_NEAR(p99->threshold, 0.1, 1e-9);
  // What is proposed, compare understands.
  const Gate proposed = query::gate_of(p99->gate);
  EXPECT_EQ(proposed.metric, p99->metric);
  EXPECT_EQ(proposed.route, "GET /pay");
  EXPECT_NEAR(proposed.threshold, p99->proposed, 1e-9);
  EXPECT_LT(plan.least, 1);
  EXPECT_GT(plan.most, 1);
}

TEST(Plan, WhatNeedsLongerRunsIsNotJudged) {
  CompareOptions options;
  options.screened = 5;
  const auto plan = compare::plan(runs_of_one_version(8, 300), options, 8).plan;
  EXPECT_TRUE(std::ranges::none_of(plan.gates, [](auto& g) { return g.metric.kind == Metric::Kind::p99; }));
  EXPECT_TRUE(std::ranges::any_of(plan.not_judged, [](const std::string& what) {
    return what == "p99 of GET /pay: 300 requests in a run: needs 500";
  })) << plan.not_judged.front();
}

}  // namespace
}  // namespace tailcap::tests
