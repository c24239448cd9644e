// One capture a side: blocks, and what other runs say about how runs vary.
#include "analyze/compare/blocks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analyze/compare/duet.h"
#include "tests/unit/compare/simulated.h"

namespace tailcap::tests::blocks_test {
namespace {

using compare::BlockValues;
using model::gate::CompareOptions;
using model::gate::Comparison;
using model::gate::Gate;
using model::gate::GateVerdict;
using model::gate::Method;
using model::gate::Metric;

constexpr Metric kP50{Metric::Kind::p50, 0}, kP99{Metric::Kind::p99, 0}, kMean{Metric::Kind::mean, 0},
    kErrors{Metric::Kind::errors, 0};

CompareOptions gated(Metric metric, double threshold, Gate::Unit unit = Gate::Unit::ratio) {
  CompareOptions out;
  out.gates = {{metric, "/pay", threshold, unit, "as written"}};
  return out;
}

BlockValues blocks_of(const model::gate::RouteRun& run, std::size_t limit, const Metric& metric) {
  return compare::blocks_of(compare::RunSample(run, compare::RunSample::first(run, limit)), metric);
}

bool mentions(const std::vector<std::string>& lines, const std::string& words) {
  return std::any_of(lines.begin(), lines.end(), [&](const auto& l) { return l.find(words) != l.npos; });
}

// n requests in `seconds`; those of the i-th twentieth of the time take (10 + i) ms times `slower`.
TestRun stepped(std::int64_t second, int n = 2000, double slower = 1, double seconds = 60) {
  TestRun run = run_at(second, seconds);
  RouteRun& route = add_route(run, "/pay");
  for (int i = 0; i < n; ++i) {
    add_request(run, route, std::llround((10 + i * 20 / n) * slower * 1e6));
    route.requests.back().start = std::llround(i * seconds * 1e9 / n);
  }
  return run;
}

TEST(BlockValues, TwentyOfEqualTime) {
  const TestRun run = stepped(0);
  const BlockValues blocks = blocks_of(run.routes[0], 0, kP50);
  ASSERT_EQ(blocks.values.size(), 20u) << blocks.missing;
  for (int i = 0; i < 20; ++i) EXPECT_NEAR(blocks.values[static_cast<std::size_t>(i)], std::log((10 + i) * 1e6), 1e-3);
  // Cut to the first half, the steps are half as high.
  const BlockValues half = blocks_of(run.routes[0], 1000, kMean);
  ASSERT_EQ(half.values.size(), 20u) << half.missing;
  EXPECT_NEAR(half.values.back(), std::log(19e6), 1e-3);
}

TEST(BlockValues, TooLittleSaysWhatIsNeeded) {
  const TestRun run = stepped(0);
  EXPECT_NE(blocks_of(run.routes[0], 0, kP99).missing.find("needs 10000"), std::string::npos);
  TestRun slow = stepped(0);
  slow.routes[0].decorrelation = 1;  // 20 blocks of 5 times that are 100 s
  EXPECT_NE(blocks_of(slow.routes[0], 0, kP50).missing.find("needs 100 s"), std::string::npos);
  TestRun late = stepped(0);
  for (auto& o : late.routes[0].requests) o.start = o.start / 100;
  late.routes[0].requests.back().start = 60'000'000'000;
  EXPECT_NE(blocks_of(late.routes[0], 0, kP50).missing.find("unevenly"), std::string::npos);
}

// Twice as slow, and how runs vary is only assumed: shown, and undecided.
TEST(BlockValues, WithoutNoiseNothingIsDecided) {
  const std::vector<TestRun> base = {stepped(0)}, fresh = {stepped(100, 2000, 2)};
  const Comparison c = compare::compare(base, fresh, gated(kP50, 0.1));
  EXPECT_EQ(c.method, Method::blocks);
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(c.gates[0].missing, "--noise")) << c.gates[0].missing[0];
  EXPECT_TRUE(mentions(c.remarks, "runs vary more than one run shows"));
  EXPECT_NEAR(c.gates[0].estimate.difference, 1, 1e-3);
  // By hand: the deviation of the logarithms of 10 … 29, of 20 blocks a side, and 10 % for each run.
  double mean = 0, squares = 0;
  for (int i = 10; i < 30; ++i) mean += std::log(i) / 20;
  for (int i = 10; i < 30; ++i) squares += (std::log(i) - mean) * (std::log(i) - mean);
  EXPECT_NEAR(c.gates[0].estimate.se, std::sqrt(2 * squares / 19 / 20 + 2 * 0.01), 1e-6);
  for (const auto& row : c.routes[0].metrics) EXPECT_FALSE(row.estimate.noticed);
  // Equal ones do not pass either.
  const std::vector<TestRun> same = {stepped(100)};
  EXPECT_EQ(compare::compare(base, same, gated(kP50, 5)).verdict, GateVerdict::undecided);
}

std::vector<TestRun> noise_runs(int n, double spread) {
  std::vector<TestRun> out;
  for (int i = 0; i < n; ++i) out.push_back(stepped(-2000 + 100 * i, 2000, 1 + spread * (i % 3 - 1)));
  return out;
}

TEST(BlockValues, NoiseOfEightRunsDecides) {
  const std::vector<TestRun> base = {stepped(0)}, fresh = {stepped(100, 2000, 2)}, same = {stepped(100)};
  EXPECT_EQ(compare::compare(base, fresh, gated(kP50, 0.1), noise_runs(8, 0.01)).verdict, GateVerdict::fail);
  EXPECT_EQ(compare::compare(base, same, gated(kP50, 1), noise_runs(8, 0.01)).verdict, GateVerdict::pass);
  EXPECT_EQ(compare::compare(base, fresh, gated(kP50, 0.1), noise_runs(7, 0.01)).verdict, GateVerdict::undecided);
  // A third slower is what runs of one version do here.
  const std::vector<TestRun> slower = {stepped(100, 2000, 1.33)};
  EXPECT_NE(compare::compare(base, slower, gated(kP50, 0.1), noise_runs(8, 0.3)).verdict, GateVerdict::fail);
  // Errors have no usual noise; with runs that show it, they are decided, too.
  EXPECT_EQ(compare::compare(base, same, gated(kErrors, 0.05, Gate::Unit::absolute), noise_runs(8, 0.01)).verdict,
            GateVerdict::pass);
  EXPECT_EQ(compare::compare(base, same, gated(kErrors, 0.05, Gate::Unit::absolute)).verdict, GateVerdict::undecided);
}

TEST(BlockValues, NoiseOfAnotherMachineOrTimeDoesNotFit) {
  const std::vector<TestRun> base = {stepped(0)}, fresh = {stepped(100, 2000, 2)}, later = {stepped(90'000, 2000, 2)};
  auto noise = noise_runs(8, 0.01);
  EXPECT_EQ(compare::compare(base, later, gated(kP50, 0.1), noise).verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(compare::compare(base, later, gated(kP50, 0.1), noise).obstacles, "apart"));
  for (auto& run : noise) {
    run.preamble.kernel = "6.9";
    run.preamble.boot_id = "other";
  }
  const Comparison c = compare::compare(base, fresh, gated(kP50, 0.1), noise);
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(c.obstacles, "the noise does not fit: different environments"));
}

TEST(BlockValues, SeveralRunsASideAreNoBlocks) {
  CompareOptions options = gated(kP50, 0.1);
  options.method = Method::blocks;
  const std::vector<TestRun> base = {stepped(0), stepped(300)}, fresh = {stepped(100), stepped(200)};
  const Comparison c = compare::compare(base, fresh, options);
  EXPECT_EQ(c.method, Method::runs_welch);
  EXPECT_TRUE(mentions(c.obstacles, "one capture a side"));
}

// Drift between runs, and eight runs that show it: seldom a false failure. bench/gates runs more.
TEST(BlockValues, EqualVersionsSeldomFail) {
  constexpr int kPairs = 12;
  int fails = 0;
  for (int seed = 1; seed <= kPairs; ++seed) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    const OneRun pair = simulated_one(random, kShared, 8, 42'000, {});
    const Comparison c = compare::compare(pair.base, pair.fresh, gated(kP50, 0.05), pair.noise);
    ASSERT_TRUE(c.gates[0].estimate.known) << c.gates[0].estimate.missing;
    fails += c.verdict == GateVerdict::fail;
  }
  EXPECT_LE(fails, 2);  // more have a probability of 2 % where 5 % are wrong
}

// A duet: both runs of a pair have the same drift, which is larger than the change.
Sides duet(int k, double slower, double drift, bool noted = true) {
  Sides out;
  for (int i = 0; i < k; ++i)
    for (const bool fresh : {false, true}) {
      const double factor = 1 + drift * (i % 4) + (fresh ? 0.003 * (i % 3) : 0);
      TestRun run = stepped(100 * i + fresh, 2000, factor * (fresh ? slower : 1));
      run.end = run.begin + 60'000'000'000;
      if (noted) run.preamble.notes = {{compare::kDuetNote, "pair " + std::to_string(i)}};
      (fresh ? out.fresh : out.base).push_back(std::move(run));
    }
  return out;
}

TEST(Duet, PairsFindWhatDriftHides) {
  const auto verdict = [](const Sides& sides) { return sides.compare(gated(kP50, 0.05)).verdict; };
  EXPECT_EQ(verdict(duet(6, 1.1, 0.3, false)), GateVerdict::undecided);
  EXPECT_EQ(verdict(duet(6, 1.1, 0.3)), GateVerdict::fail);
  EXPECT_EQ(verdict(duet(6, 1, 0.3)), GateVerdict::pass);
  const Comparison c = duet(6, 1.1, 0.3).compare(gated(kP50, 0.05));
  EXPECT_EQ(c.method, Method::duet_paired);
  EXPECT_DOUBLE_EQ(c.gates[0].estimate.df, 5);
  EXPECT_EQ(verdict(duet(4, 1.1, 0.3)), GateVerdict::undecided);  // five pairs are needed
}

TEST(Duet, TheOrderOfTheFilesDoesNotMatter) {
  Sides sides = duet(6, 1.1, 0.3);
  std::reverse(sides.fresh.begin(), sides.fresh.end());
  EXPECT_EQ(sides.compare(gated(kP50, 0.05)).verdict, GateVerdict::fail);
}

TEST(Duet, WithoutItsOtherVersionNothingIsDecided) {
  Sides sides = duet(6, 1.1, 0.3);
  sides.fresh[2].preamble.notes.back().second = "of another";
  EXPECT_TRUE(mentions(sides.compare(gated(kP50, 0.05)).obstacles, "its other version"));
  Sides apart = duet(6, 1.1, 0.3);
  apart.fresh[2].begin += 30'000'000'000;
  apart.fresh[2].end += 30'000'000'000;
  const Comparison c = apart.compare(gated(kP50, 0.05));
  EXPECT_TRUE(mentions(c.obstacles, "at the same time"));
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
}

}  // namespace
}  // namespace tailcap::tests::blocks_test
