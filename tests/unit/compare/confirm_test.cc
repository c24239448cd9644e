#include "analyze/compare/confirm.h"

#include <gtest/gtest.h>

#include "tests/unit/compare/run_case.h"

namespace tailcap::tests {
namespace {

using model::gate::CompareOptions;
using model::gate::Comparison;
using model::gate::GateVerdict;

// 1,000 requests, of which the 10 slowest take 20 ms and a few per cent; runs differ by `spread`.
void fill(TestRun& run, int number, double slower, double spread = 0.01) {
  RouteRun& route = add_route(run, "/pay");
  const double jitter = 1 + spread * ((number * 7 % 5) - 2);
  for (int i = 0; i < 1000; ++i) {
    const double ms = (i % 100 == 50 ? 20 + i / 1000.0 : 10 + i % 97 / 97.0) * jitter * slower;
    add_request(run, route, static_cast<std::int64_t>(ms * 1e6));
  }
}

// The new side is slower by `first` in the runs that screen, by `later` in the others.
Comparison confirmed(int runs, int screened, double first, double later, double spread = 0.01) {
  const Sides sides = abba(runs, [&](TestRun& run, bool fresh, int i) {
    fill(run, i, fresh ? i < 2 * screened ? first : later : 1, spread);
  });
  CompareOptions options;
  options.screened = static_cast<std::size_t>(screened);
  return compare::confirm(sides.base, sides.fresh, options);
}

TEST(Confirm, WhatFreshRunsShowAgainFails) {
  const Comparison c = confirmed(12, 6, 1.3, 1.3);
  EXPECT_EQ(c.verdict, GateVerdict::fail);
  EXPECT_EQ(c.confirming, 6u);
  EXPECT_NEAR(c.gates[0].estimate.difference, 0.3, 0.03);  // of all runs
  EXPECT_EQ(c.gates[1].verdict, GateVerdict::pass);        // errors
}

TEST(Confirm, ThreeFreshRunsAreEnoughAndTwoAreNot) {
  EXPECT_EQ(confirmed(9, 6, 1.3, 1.3).verdict, GateVerdict::fail);
  const Comparison c = confirmed(8, 6, 1.3, 1.3);
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
  EXPECT_NE(c.gates[0].missing[0].find("fresh runs alone do not"), std::string::npos) << c.gates[0].missing[0];
}

// However large it is: it is flagged only.
TEST(Confirm, WithoutFreshRunsNothingFails) {
  const Comparison c = confirmed(6, 6, 3, 1);
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
  EXPECT_EQ(c.gates[0].verdict, GateVerdict::undecided);
  ASSERT_EQ(c.gates[0].missing.size(), 1u);
  EXPECT_NE(c.gates[0].missing[0].find("flagged"), std::string::npos);
}

// The whole interval of all runs lies above the threshold, but what made it so happened in the first runs only.
TEST(Confirm, WhatOnlyTheFlaggingRunsShowDoesNotFail) {
  const Comparison c = confirmed(12, 6, 1.6, 1.0);
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
  EXPECT_GT(c.gates[0].estimate.difference, 0.1);
  ASSERT_FALSE(c.gates[0].missing.empty());
}

// What is significant at 5 % but not at the level of all runs together says that it is not significant, and not that
// the threshold lies within an interval that is above it.
TEST(Confirm, AllRunsTogetherHaveAStricterLevel) {
  const Sides sides = abba(5, [&](TestRun& run, bool fresh, int i) { fill(run, i * i, fresh ? 1.2 : 1, 0.03); });
  const Comparison once = sides.compare();
  CompareOptions stricter;
  stricter.level = once.gates[0].p_holm / 2;
  const Comparison c = sides.compare(stricter);
  ASSERT_EQ(once.gates[0].verdict, GateVerdict::fail) << once.gates[0].p_holm;
  ASSERT_EQ(c.gates[0].verdict, GateVerdict::undecided);
  EXPECT_NE(c.gates[0].missing[0].find("not significant"), std::string::npos) << c.gates[0].missing[0];
}

TEST(Confirm, RunsThatPassNeedNoFreshRuns) { EXPECT_EQ(confirmed(6, 6, 1, 1).verdict, GateVerdict::pass); }

}  // namespace
}  // namespace tailcap::tests
