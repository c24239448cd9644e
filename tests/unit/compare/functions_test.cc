// In which functions CPU time changed: named where runs show it, and nowhere else.
#include "analyze/compare/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "analyze/compare/compare.h"
#include "tests/unit/compare/run_case.h"

namespace tailcap::tests::functions_test {
namespace {

using model::gate::Comparison;
using model::gate::FunctionRow;
using model::gate::RouteRun;

constexpr std::int64_t kMs = 1'000'000;
constexpr int kRequests = 500;

// CPU time per request of each function, ns; how much runs differ; one sample in a million ns.
struct Simulated {
  std::vector<double> functions;
  double spread = 0.05;
};

TestRun run_of(const Simulated& of, std::mt19937& dice, int second) {
  TestRun out = run_at(second, 10);
  out.file = "run" + std::to_string(second);
  out.requests = kRequests;
  out.sampling = {true, kMs, 0, {}};
  RouteRun route;
  route.name.method = "POST";
  route.name.route = "/pay";
  for (int i = 0; i < kRequests; ++i)
    route.requests.push_back({.id = {1, static_cast<std::uint32_t>(i)}, .start = i * 20 * kMs, .duration = 10 * kMs});
  for (std::size_t f = 0; f < of.functions.size(); ++f) {
    const double factor = 1 + of.spread * std::normal_distribution<>()(dice);
    const double mean = std::max(0.0, of.functions[f] * factor * kRequests / static_cast<double>(kMs));
    const auto samples = static_cast<std::uint64_t>(mean > 0 ? std::poisson_distribution<>(mean)(dice) : 0);
    if (samples > 0) route.functions.push_back({"f" + std::to_string(f), f % 2 == 0 ? "render" : "serve", samples});
    route.samples += samples;
  }
  out.routes.push_back(std::move(route));
  return out;
}

struct SimulatedSides {
  std::vector<TestRun> base, fresh;
};

SimulatedSides sides_of(const Simulated& base, const Simulated& fresh, std::mt19937& dice, int runs = 5) {
  SimulatedSides out;
  for (int i = 0; i < runs; ++i) {
    out.base.push_back(run_of(base, dice, 40 * i));
    out.fresh.push_back(run_of(fresh, dice, 40 * i + 20));
  }
  return out;
}

Comparison compared(const SimulatedSides& sides) { return compare::compare(sides.base, sides.fresh, {}); }

std::vector<std::string> named(const Comparison& c) {
  std::vector<std::string> out;
  for (const FunctionRow& row : c.functions.rows)
    if (row.estimate.noticed) out.push_back(row.name);
  return out;
}

TEST(ChangedFunctions, TheChangedOneIsNamedWithItsCaller) {
  std::mt19937 dice(1);
  const Simulated base{{2e6, 1e6, 0.5e6, 0.2e6}}, fresh{{2e6, 1e6, 1.5e6, 0.2e6}};
  int found = 0, others = 0, inside = 0;
  for (int i = 0; i < 100; ++i) {
    const Comparison c = compared(sides_of(base, fresh, dice));
    ASSERT_TRUE(c.functions.missing.empty()) << c.functions.missing;
    EXPECT_EQ(c.functions.compared, 4u);
    for (const FunctionRow& row : c.functions.rows) {
      if (!row.estimate.noticed) continue;
      if (row.name != "f2") {
        ++others;
        continue;
      }
      ++found;
      EXPECT_EQ(row.caller, "render");
      EXPECT_EQ(c.routes[row.route].name.route, "/pay");
      EXPECT_GT(row.fresh_samples, row.base_samples);
      inside += row.estimate.low <= 1e6 && 1e6 <= row.estimate.high;
    }
  }
  EXPECT_GE(found, 98);
  EXPECT_LE(others, 8);
  EXPECT_GE(inside, 80) << "90 % intervals";
}

TEST(ChangedFunctions, EqualVersionsNameNone) {
  std::mt19937 dice(2);
  Simulated same;
  for (int f = 0; f < 30; ++f) same.functions.push_back(3e6 / (1 + f));
  int wrong = 0;
  for (int i = 0; i < 300; ++i) wrong += !named(compared(sides_of(same, same, dice))).empty();
  EXPECT_LE(wrong, 24) << "5 % of 300 are 15; more than 24 have a chance of 1 %";
}

// Runs of one side that differ as a whole are no evidence that the other side is slower.
TEST(ChangedFunctions, RunsAreTheUnit) {
  std::mt19937 dice(3);
  const Simulated same{{4e6}, 0.3};
  int wrong = 0;
  for (int i = 0; i < 300; ++i) wrong += !named(compared(sides_of(same, same, dice))).empty();
  EXPECT_LE(wrong, 24);
}

TEST(ChangedFunctions, WhatIsMissingIsSaid) {
  std::mt19937 dice(4);
  const Simulated base{{2e6}}, fresh{{4e6}};
  SimulatedSides sides = sides_of(base, fresh, dice, 4);
  EXPECT_NE(compared(sides).functions.missing.find("4 of the 5 runs"), std::string::npos);
  sides = sides_of(base, fresh, dice);
  EXPECT_EQ(named(compared(sides)), std::vector<std::string>{"f0"});
  sides.fresh[2].sampling.missing = "it does not say how often samples were taken";
  EXPECT_EQ(compared(sides).functions.missing, sides.fresh[2].file + ": it does not say how often samples were taken");
  EXPECT_TRUE(named(compared(sides)).empty());
  sides = sides_of(base, fresh, dice);
  for (TestRun& run : sides.fresh) run.sampling = {};
  EXPECT_NE(compared(sides).functions.missing.find("has no samples"), std::string::npos);
  for (TestRun& run : sides.base) run.sampling = {};
  EXPECT_FALSE(compared(sides).functions.sampled);
}

TEST(ChangedFunctions, FewSamplesSayNothing) {
  std::mt19937 dice(5);
  const Comparison c = compared(sides_of({{0.001e6}}, {{0.004e6}}, dice));
  EXPECT_EQ(c.functions.compared, 0u);
  EXPECT_GT(c.functions.fresh_samples, 0u);
}

// They could all be of requests of the one side, and of this function.
TEST(ChangedFunctions, SamplesOfSeveralRequestsAreAllowedFor) {
  std::mt19937 dice(6);
  SimulatedSides sides = sides_of({{2e6}}, {{3e6}}, dice);
  EXPECT_EQ(named(compared(sides)).size(), 1u);
  for (TestRun& run : sides.fresh) run.sampling.undecided = kRequests * 2;
  EXPECT_TRUE(named(compared(sides)).empty());
}

TEST(ChangedFunctions, SmallChangesAreOfNoAccount) {
  std::mt19937 dice(7);
  EXPECT_TRUE(named(compared(sides_of({{1.00e6}, 0}, {{1.04e6}, 0}, dice, 60))).empty());
}

}  // namespace
}  // namespace tailcap::tests::functions_test
