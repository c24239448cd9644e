// Simulated services with drift from run to run: how often the gates are wrong, and what they find. bench/gates runs
// more.
#include <gtest/gtest.h>

#include "tests/unit/compare/simulated.h"

namespace tailcap::tests {
namespace {

using model::gate::CompareOptions;
using model::gate::Gate;
using model::gate::GateVerdict;
using model::gate::Metric;

struct Rates {
  int pass = 0, fail = 0, undecided = 0;
};

Rates rates(int pairs, const Drift& drift, int k, int n, const Change& change = {}) {
  Rates out;
  CompareOptions options;
  options.gates = {{{Metric::Kind::p99, 0}, "", 0.10, Gate::Unit::ratio, ""}};
  for (int seed = 1; seed <= pairs; ++seed) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    const GateVerdict verdict = simulated(random, drift, k, n, change).compare(options).verdict;
    ++(verdict == GateVerdict::pass ? out.pass : verdict == GateVerdict::fail ? out.fail : out.undecided);
  }
  return out;
}

// The bound of one screening is 7 %; confirmation by fresh runs squares it.
TEST(Simulation, EqualVersionsSeldomFail) {
  constexpr int kPairs = 200;
  for (const Drift& drift : {kNone, kShared}) {
    const Rates r = rates(kPairs, drift, 5, 2000);
    EXPECT_LE(r.fail, kPairs * 7 / 100) << r.pass << " pass, " << r.undecided << " undecided";
    EXPECT_GT(r.undecided, 0);  // 10 s a run are too short to prove that a tail did not grow by a tenth
  }
}

TEST(Simulation, ANewSlowModeIsNeverPassed) {
  const Rates r = rates(60, kNone, 5, 4000, {.mode = 0.01});
  EXPECT_EQ(r.pass, 0);
  EXPECT_GE(r.fail, 20) << r.undecided << " undecided";
}

TEST(Simulation, TwiceAsSlowIsNeverPassed) {
  const Rates r = rates(30, kShared, 5, 4000, {.slower = 2});
  EXPECT_EQ(r.pass, 0);
  EXPECT_GE(r.fail, 10) << r.undecided << " undecided";
}

}  // namespace
}  // namespace tailcap::tests
