#include "analyze/compare/compare.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analyze/compare/comparability.h"
#include "analyze/model/study/cut_note.h"
#include "tests/unit/compare/run_case.h"

namespace tailcap::tests {
namespace {

using model::gate::CompareOptions;
using model::gate::Comparison;
using model::gate::Count;
using model::gate::Gate;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::Metric;

Gate gate(Metric::Kind kind, double threshold, Gate::Unit unit = Gate::Unit::ratio, std::uint8_t which = 0) {
  return {{kind, which}, "/pay", threshold, unit, "as written"};
}

bool mentions(const std::vector<std::string>& lines, const std::string& words) {
  return std::any_of(lines.begin(), lines.end(), [&](const auto& l) { return l.find(words) != l.npos; });
}

// 1,000 requests of 10 ms and a few per cent, the 10 slowest of 20 ms and a few per cent; runs differ by `spread`.
void usual(TestRun& run, int number, double slower = 1, double spread = 0.01) {
  RouteRun& route = add_route(run, "/pay");
  const double jitter = 1 + spread * ((number * 7 % 5) - 2);
  for (int i = 0; i < 1000; ++i) {
    const double ms = (i % 100 == 50 ? 20 + i / 1000.0 : 10 + i % 97 / 97.0) * jitter * slower;
    add_request(run, route, static_cast<std::int64_t>(ms * 1e6), i % 100 == 50 ? Label::lock_futex : Label::cpu);
  }
}

TEST(Compare, EqualRunsPass) {
  const Comparison c = abba(6, [](TestRun& run, bool, int i) { usual(run, i); }).compare();
  EXPECT_EQ(c.verdict, GateVerdict::pass) << (c.gates.empty()              ? ""
                                              : c.gates[0].missing.empty() ? ""
                                                                           : c.gates[0].missing[0]);
  ASSERT_EQ(c.gates.size(), 11u);  // p99, errors, own_p99, own_mean, and seven counts that never vary
  EXPECT_TRUE(c.obstacles.empty());
  EXPECT_TRUE(c.interleaved);
}

TEST(Compare, SlowerRunsFail) {
  const Comparison c = abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 1.3 : 1); }).compare();
  EXPECT_EQ(c.verdict, GateVerdict::fail);
  EXPECT_EQ(c.gates[0].verdict, GateVerdict::fail);
  EXPECT_NEAR(c.gates[0].estimate.difference, 0.3, 0.03);
  EXPECT_LT(c.gates[0].estimate.low, 0.3);
  EXPECT_GT(c.gates[0].estimate.high, 0.3);
  EXPECT_EQ(c.gates[1].verdict, GateVerdict::pass);  // errors
}

// A sum of fractions, 2 n/m and 2 (m - n)/m, differs from 2 for some n.
TEST(Compare, TwoCallsInEachRequestAreTwo) {
  for (int n = 1; n < 40; ++n) {
    const Comparison c = abba(2, [&](TestRun& run, bool fresh, int i) {
                           RouteRun& route = add_route(run, "/pay");
                           for (int k = 0; k < (i < 2 ? n : 41 - n); ++k) add_request(run, route, 10 * kMillisecond);
                           route.callees = {{"GET /stock", route.requests.size() * (fresh ? 2 : 1)}};
                         }).compare();
    ASSERT_EQ(c.routes.size(), 1u);
    ASSERT_EQ(c.routes[0].callees.size(), 1u);
    EXPECT_EQ(c.routes[0].callees[0].base, 1) << n;
    EXPECT_EQ(c.routes[0].callees[0].fresh, 2) << n;
  }
}

TEST(Compare, FasterRunsPass) {
  EXPECT_EQ(abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 0.7 : 1); }).compare().verdict,
            GateVerdict::pass);
}

// Significant, and below what the gate accepts.
TEST(Compare, AnIncreaseBelowTheThresholdPasses) {
  CompareOptions options;
  options.gates = {gate(Metric::Kind::p99, 0.30)};
  const Comparison c =
      abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 1.1 : 1); }).compare(options);
  EXPECT_EQ(c.verdict, GateVerdict::pass);
  EXPECT_LT(c.gates[0].p_holm, 0.05);
}

TEST(Compare, StrictWantsTheWholeIntervalAbove) {
  CompareOptions options;
  options.gates = {gate(Metric::Kind::p99, 0.10)};
  const auto sides = abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 1.115 : 1, 0.01); });
  EXPECT_EQ(sides.compare(options).verdict, GateVerdict::fail);
  options.strict = true;
  EXPECT_EQ(sides.compare(options).verdict, GateVerdict::undecided);
}

TEST(Compare, AbsoluteThresholds) {
  CompareOptions options;
  const auto sides = abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 1.3 : 1); });
  options.gates = {gate(Metric::Kind::p50, 2.0 * kMillisecond, Gate::Unit::absolute)};  // by 3 ms
  EXPECT_EQ(sides.compare(options).verdict, GateVerdict::fail);
  options.gates = {gate(Metric::Kind::p50, 4.0 * kMillisecond, Gate::Unit::absolute)};
  EXPECT_EQ(sides.compare(options).verdict, GateVerdict::pass);
}

TEST(Compare, LabelsSumToTheTotal) {
  const Comparison c =
      abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 1.3 : 1, 0.013); }).compare();
  for (const auto* table : {&c.routes[0].all, &c.routes[0].slow}) {
    ASSERT_TRUE(table->known);
    std::int64_t base = 0, fresh = 0;
    for (const auto& row : table->rows) base += row.base, fresh += row.fresh;
    EXPECT_EQ(base, table->base);
    EXPECT_EQ(fresh, table->fresh);
    EXPECT_GT(table->difference(), 0);
  }
  // The slowest are those with the lock.
  ASSERT_EQ(c.routes[0].slow.rows.size(), 1u);
  EXPECT_EQ(c.routes[0].slow.rows[0].account, static_cast<std::size_t>(Label::lock_futex));
}

TEST(Compare, TooFewRunsAreUndecided) {
  const auto sides = abba(4, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 2 : 1); });
  const Comparison c = sides.compare();
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(c.gates[0].missing, "4 runs a side: needs 5"));
  CompareOptions options;
  options.min_runs = 4;
  EXPECT_EQ(sides.compare(options).verdict, GateVerdict::fail);
}

TEST(Compare, TooFewRequestsForThePercentileAreNotJudged) {
  const auto sides = abba(6, [](TestRun& run, bool, int i) {
    usual(run, i);
    run.routes[0].requests.resize(499);
  });
  const Comparison c = sides.compare();
  EXPECT_EQ(c.verdict, GateVerdict::pass);
  EXPECT_EQ(c.not_gated, (std::vector<std::string>{"p99 of GET /pay: 499 requests a run, 500 needed"}));
  CompareOptions options;
  options.gates = {gate(Metric::Kind::p99, 0.1)};
  EXPECT_EQ(sides.compare(options).verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(sides.compare(options).gates[0].missing, "499 requests in a run: needs 500"));
}

// A gate of the default that the runs are too noisy for is left to the others; one that was asked for is undecided.
TEST(Compare, WhatNoiseHidesIsNotJudgedByDefault) {
  const Comparison c = abba(6, [](TestRun& run, bool, int i) { usual(run, i, 1, 0.2); }).compare();
  EXPECT_EQ(c.verdict, GateVerdict::pass);
  ASSERT_EQ(c.not_gated.size(), 3u);
  EXPECT_TRUE(mentions(c.not_gated, "p99 of GET /pay: these runs show an increase of +")) << c.not_gated[0];
  EXPECT_TRUE(mentions(c.not_gated, "own_p99 of GET /pay: these runs show an increase of +")) << c.not_gated[1];
  EXPECT_TRUE(mentions(c.not_gated, "own_mean of GET /pay: these runs show an increase of +")) << c.not_gated[2];
  for (const auto& gate : c.gates) EXPECT_NE(gate.gate.metric.quantile(), 0.99);
}

// The same where only the limit lies within what chance does; with a sign of an increase, it stays undecided.
TEST(Compare, WhatShowsNoSignIsNotJudgedByDefault) {
  const auto versions = [](double slower) {
    return abba(6, [=](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? slower : 1, 0.12); }).compare();
  };
  const Comparison equal = versions(1);
  EXPECT_EQ(equal.verdict, GateVerdict::pass);
  EXPECT_TRUE(mentions(equal.not_gated, "p99 of GET /pay: these runs show an increase of +"));
  EXPECT_EQ(versions(1.3).verdict, GateVerdict::undecided);
}

// As usual; 1 % of the requests wait for a CPU, the longer the busier the machine is in that run.
void busy(TestRun& run, int number, double slower) {
  usual(run, number, slower);
  RouteRun& route = run.routes[0];
  const std::int64_t wait = (20 + 30 * (number * 5 % 7)) * kMillisecond;
  for (std::size_t i = 0; i < route.requests.size(); i += 80) {
    RunObservation& o = route.requests[i];
    const auto own = route.accounts[o.accounts_at];
    o.accounts_at = static_cast<std::uint32_t>(route.accounts.size());
    o.accounts_n = 2;
    route.accounts.push_back(own);
    route.accounts.emplace_back(static_cast<std::uint8_t>(Label::sched_runq), wait);
    o.duration += wait;
  }
}

const GateResult* of_metric(const Comparison& c, Metric::Kind kind) {
  const auto at = std::ranges::find_if(c.gates, [&](const auto& g) { return g.gate.metric.kind == kind; });
  return at == c.gates.end() ? nullptr : &*at;
}

// What others run on the machine is in p99, and hides there what a change did; it is not in the time of the requests'
// own.
TEST(Compare, OwnTimeIsFoundAmongWaitsForCpus) {
  const auto slower = [](double factor) {
    return abba(6, [&](TestRun& run, bool fresh, int i) { busy(run, i, fresh ? factor : 1); }).compare();
  };
  const Comparison found = slower(1.15);
  const GateResult* own = of_metric(found, Metric::Kind::own_p99);
  ASSERT_TRUE(own);
  EXPECT_EQ(own->verdict, GateVerdict::fail);
  EXPECT_NEAR(own->estimate.difference, 0.15, 0.02);
  EXPECT_FALSE(of_metric(found, Metric::Kind::p99));  // not judged
  // The requests with the longest own time are those that wait for the lock.
  ASSERT_TRUE(found.routes[0].own.known && !found.routes[0].own.rows.empty());
  EXPECT_EQ(found.routes[0].own.rows[0].account, static_cast<std::size_t>(Label::lock_futex));
  const Comparison equal = slower(1);
  EXPECT_EQ(equal.verdict, GateVerdict::pass);
  EXPECT_EQ(of_metric(equal, Metric::Kind::own_p99)->verdict, GateVerdict::pass);
}

TEST(Compare, OwnTimeIsNotKnownWhereWaitsAreNot) {
  const auto without = [](std::size_t n) {
    auto sides = abba(6, [&](TestRun& run, bool, int i) {
      usual(run, i);
      for (std::size_t k = 0; k < n; ++k) run.routes[0].accounts[k].first = model::gate::kNoAccount;
    });
    CompareOptions options;
    options.gates = {gate(Metric::Kind::own_p99, 0.1)};
    return sides.compare(options);
  };
  EXPECT_EQ(without(1).verdict, GateVerdict::pass);
  EXPECT_EQ(without(2).verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(without(2).gates[0].missing, "how long 2 requests of a run waited for a CPU is not known"));
}

TEST(Compare, ASignOfAnIncreaseIsNotLeftOut) {
  const Comparison c = abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 1.3 : 1, 0.12); }).compare();
  ASSERT_EQ(c.gates[0].gate.metric.kind, Metric::Kind::p99);
  EXPECT_NE(c.verdict, GateVerdict::pass);
}

TEST(Compare, OneMoreCallFailsByDefaultHoweverNoisyTheRuns) {
  for (const double spread : {0.01, 0.2}) {
    const auto with_calls = [&](std::int64_t fresh_calls) {
      return abba(6,
                  [&](TestRun& run, bool fresh, int i) {
                    usual(run, i, 1, spread);
                    for (auto& o : run.routes[0].requests) o.counts[0] = fresh ? fresh_calls : 2;
                  })
          .compare();
    };
    EXPECT_EQ(with_calls(3).verdict, GateVerdict::fail);
    EXPECT_EQ(with_calls(2).verdict, GateVerdict::pass);
    EXPECT_EQ(with_calls(1).verdict, GateVerdict::pass);
  }
}

// Under load a call now and then has no known parent.
TEST(Compare, ACountWithFewExceptionsIsADefaultGate) {
  const auto with = [](std::int64_t fresh_calls, std::size_t exceptions, int runs = 6) {
    return abba(runs,
                [&](TestRun& run, bool fresh, int i) {
                  usual(run, i, 1, 0.2);
                  auto& requests = run.routes[0].requests;
                  for (auto& o : requests) o.counts[0] = fresh ? fresh_calls : 2;
                  for (std::size_t k = 0; k < exceptions + static_cast<std::size_t>(i % 3); ++k)
                    --requests[k * 7].counts[0];
                })
        .compare();
  };
  EXPECT_EQ(with(3, 1).verdict, GateVerdict::fail);
  EXPECT_EQ(with(2, 1).verdict, GateVerdict::pass);
  EXPECT_TRUE(mentions(with(3, 1, 4).not_gated, "calls of GET /pay: vary"));  // too few runs for exceptions
  const Comparison varying = with(3, 50);
  EXPECT_EQ(varying.verdict, GateVerdict::pass);
  EXPECT_TRUE(mentions(varying.not_gated, "calls of GET /pay: vary from request to request"))
      << varying.not_gated.front();
}

// CPU time and memory of a process are read once a second, and are the same for all its routes.
TestRun& with_readings(TestRun& run, double cpu, double memory) {
  for (auto& route : run.routes) {
    route.processes = {7};
    route.read(static_cast<std::size_t>(Count::process_cpu)) = {{cpu * 100, 100}, {cpu * 300, 300}};
    route.read(static_cast<std::size_t>(Count::memory)) = {{memory * 100, 100}, {memory * 300, 300}};
  }
  return run;
}

TEST(Compare, CpuTimeAndMemoryOfAProgramAreGatesByDefault) {
  const auto compared = [](double more_cpu, double more_memory) {
    return abba(6,
                [&](TestRun& run, bool fresh, int i) {
                  usual(run, i);
                  const double wobble = 1 + 0.002 * (i % 3);
                  with_readings(run, (fresh ? 1 + more_cpu : 1) * 2e6 * wobble,
                                (fresh ? more_memory : 0) + 50 * (i % 3));
                })
        .compare();
  };
  const auto failing = [](const Comparison& c) {
    std::vector<std::string> out;
    for (const auto& gate : c.gates)
      if (gate.verdict == GateVerdict::fail) out.emplace_back(name_of(gate.gate.metric));
    return out;
  };
  EXPECT_EQ(compared(0, 0).verdict, GateVerdict::pass);
  EXPECT_EQ(failing(compared(0.05, 0)), std::vector<std::string>{"process_cpu"});
  EXPECT_EQ(failing(compared(0, 10'000)), std::vector<std::string>{"memory"});
  EXPECT_EQ(compared(0.01, 500).verdict, GateVerdict::pass) << "less than the default accepts";
  EXPECT_EQ(compared(-0.2, -5000).verdict, GateVerdict::pass);
}

// What a collector does now and then hides a small leak: that is said, and the other gates decide.
TEST(Compare, MemoryThatVariesIsNotJudgedByDefault) {
  const Comparison c = abba(6, [](TestRun& run, bool, int i) {
                         usual(run, i);
                         with_readings(run, 2e6, i % 2 ? 40'000 : -30'000);
                       }).compare();
  EXPECT_EQ(c.verdict, GateVerdict::pass);
  EXPECT_TRUE(mentions(c.not_gated, "memory of GET /pay: these runs show an increase of +")) << c.not_gated.size();
}

// One request in 100 has a call more: below what the default accepts, and one in 5 is above it.
TEST(Compare, ACallMoreInFewRequestsIsDecidedByHowFew) {
  const auto verdict = [](int one_in) {
    return abba(6,
                [&](TestRun& run, bool fresh, int i) {
                  usual(run, i);
                  int n = 0;
                  for (auto& o : run.routes[0].requests) o.counts[0] = fresh && ++n % one_in == 0;
                })
        .compare()
        .verdict;
  };
  EXPECT_EQ(verdict(100), GateVerdict::pass);
  EXPECT_EQ(verdict(5), GateVerdict::fail);
}

TEST(Compare, ShortRunsAreUndecided) {
  auto sides = abba(6, [](TestRun& run, bool, int i) { usual(run, i); });
  sides.fresh[2].seconds = 4;
  EXPECT_TRUE(mentions(sides.compare().gates[0].missing, "needs 5 s"));
  sides.fresh[2].seconds = 60;
  sides.fresh[2].routes[0].decorrelation = 14;
  EXPECT_TRUE(mentions(sides.compare().gates[0].missing, "needs 70 s"));
}

TEST(Compare, OneAfterTheOtherIsUndecided) {
  auto sides = abba(6, [](TestRun& run, bool, int i) { usual(run, i); });
  std::int64_t second = 0;
  for (auto* side : {&sides.base, &sides.fresh})
    for (TestRun& run : *side) run.begin = (1'000'000 + (second += 100)) * 1'000'000'000;
  const Comparison c = sides.compare();
  EXPECT_FALSE(c.interleaved);
  EXPECT_TRUE(mentions(c.gates[0].missing, "not interleaved"));
  CompareOptions options;
  options.allow_sequential = true;
  EXPECT_EQ(sides.compare(options).verdict, GateVerdict::pass);
}

TEST(Compare, NoisyRunsNeedMoreTime) {
  CompareOptions options;
  options.gates = {gate(Metric::Kind::p99, 0.1)};
  const Comparison c = abba(6, [](TestRun& run, bool, int i) { usual(run, i, 1, 0.12); }).compare(options);
  EXPECT_EQ(c.gates[0].verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(c.gates[0].missing, "× more time")) << c.gates[0].estimate.mde;
}

TEST(Compare, WhereTimeDoesNotHelpALimitIsNamed) {
  CompareOptions options;
  options.gates = {gate(Metric::Kind::p99, 0.1)};
  const Comparison c = abba(6, [](TestRun& run, bool, int i) { usual(run, i, 1, 0.2); }).compare(options);
  EXPECT_EQ(c.gates[0].verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(c.gates[0].missing, "raise the limit to +")) << c.gates[0].estimate.mde;
  EXPECT_FALSE(mentions(c.gates[0].missing, "more time"));
}

// As usual, but the slow ones were given up after `ns`.
void given_up(TestRun& run, int number, std::int64_t ns) {
  usual(run, number);
  for (auto& o : run.routes.back().requests)
    if (o.duration >= 15'000'000) {
      o.duration = -1;
      o.at_least = ns;
      o.failed = true;
    }
}

CompareOptions p99_of_pay() {
  CompareOptions options;
  options.gates = {gate(Metric::Kind::p99, 0.1)};
  return options;
}

TEST(Compare, SlowRequestsThatWereGivenUpMakeNothingFaster) {
  for (const std::int64_t after : {1'000'000, 21'000'000}) {
    const Comparison c = abba(6, [&](TestRun& run, bool fresh, int i) {
                           fresh ? given_up(run, i, after) : usual(run, i);
                         }).compare(p99_of_pay());
    EXPECT_EQ(c.verdict, GateVerdict::undecided) << after;
    EXPECT_TRUE(c.gates[0].estimate.fresh_at_least);
    EXPECT_TRUE(mentions(c.gates[0].missing, "broke off")) << after;
    for (const auto& row : c.routes[0].metrics)
      EXPECT_FALSE(row.metric.timed() && row.estimate.noticed && row.estimate.difference < 0) << after;
    for (const auto& row : c.routes[0].all.rows) EXPECT_FALSE(row.estimate.noticed && row.estimate.difference < 0);
  }
}

TEST(Compare, ALowerBoundAboveTheThresholdFails) {
  const Comparison c = abba(6, [](TestRun& run, bool fresh, int i) {
                         fresh ? given_up(run, i, 400'000'000) : usual(run, i);
                       }).compare(p99_of_pay());
  EXPECT_EQ(c.verdict, GateVerdict::fail);
}

TEST(Compare, ABaseThatIsALowerBoundShowsNoIncrease) {
  const Comparison c = abba(6, [](TestRun& run, bool fresh, int i) {
                         fresh ? usual(run, i, 3) : given_up(run, i, 1'000'000);
                       }).compare(p99_of_pay());
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
}

// A run whose slow requests vary has a mean of logarithms that falls while the mean rises.
TEST(Compare, TheChangeIsThatFromColumnToColumn) {
  const Comparison c = abba(6, [](TestRun& run, bool fresh, int i) {
                         usual(run, i, !fresh ? 1 : i % 8 == 1 ? 4 : 0.6);
                       }).compare();
  for (const auto& row : c.routes[0].metrics)
    if (row.metric.relative()) {
      EXPECT_NEAR(row.estimate.fresh / row.estimate.base - 1, row.estimate.difference, 1e-9);
    }
}

TEST(Compare, CallsWithoutAParentMakeNoChange) {
  const auto calls = [](TestRun& run, int i, int n) {
    usual(run, i);
    for (auto& o : run.routes.back().requests) o.counts[static_cast<std::size_t>(model::gate::Count::calls)] = n;
    RouteRun& made = add_route(run, "/price");
    made.name.role = model::Role::client;
    const auto served = run.requests;
    for (int k = 0; k < 1000 * n; ++k) add_request(run, made, 1'000'000);
    run.requests = served;
    run.undecided_calls = 1500;
  };
  const Comparison c = abba(6, [&](TestRun& run, bool fresh, int i) { calls(run, i, fresh ? 2 : 1); }).compare();
  for (const auto& row : c.routes[0].metrics) EXPECT_FALSE(name_of(row.metric) == "calls" && row.estimate.noticed);
  ASSERT_EQ(c.called.size(), 1u);
  EXPECT_EQ(c.called[0].name.route, "/price");
  EXPECT_DOUBLE_EQ(c.called[0].estimate.base, 1);
  EXPECT_DOUBLE_EQ(c.called[0].estimate.fresh, 2);
  EXPECT_TRUE(c.called[0].estimate.noticed);
}

TEST(Compare, WhatIsNotGatedIsSaid) {
  const Comparison c = abba(6, [](TestRun& run, bool, int i) {
                         usual(run, i);
                         RouteRun& rare = add_route(run, "/rare");
                         for (int k = 0; k < 240; ++k) add_request(run, rare, 5'000'000);
                       }).compare();
  EXPECT_EQ(c.not_gated, (std::vector<std::string>{
                             "errors of GET /rare: these runs show an increase of +0.9 points or more, and the "
                             "limit is +0.25 points; no significant increase was seen",
                             "p99 of GET /rare: 240 requests a run, 500 needed"}));
}

// The runs differ so much that a change of +10 % could not be found, but the new ones take three times as long.
TEST(Compare, AnObviousIncreaseFailsAmongNoise) {
  const Comparison c = abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 3 : 1, 0.2); }).compare();
  EXPECT_GT(c.gates[0].estimate.mde, 0.3);
  EXPECT_EQ(c.gates[0].verdict, GateVerdict::fail);
}

TEST(Compare, RunsOfDifferentLengthAreCut) {
  auto sides = abba(6, [](TestRun& run, bool, int i) { usual(run, i); });
  sides.base[1].routes[0].requests.resize(700);
  const Comparison c = sides.compare();
  EXPECT_EQ(c.routes[0].compared, 700u);
}

TEST(Compare, Errors) {
  const auto with_errors = [](int base, int fresh) {
    return abba(6,
                [&](TestRun& run, bool is_fresh, int i) {
                  usual(run, i);
                  for (int n = 0; n < (is_fresh ? fresh : base) + i % 2; ++n)
                    run.routes[0].requests[static_cast<std::size_t>(n)].failed = true;
                })
        .compare();
  };
  const Comparison worse = with_errors(2, 22);
  EXPECT_EQ(worse.gates[1].verdict, GateVerdict::fail);
  EXPECT_NEAR(worse.gates[1].estimate.difference, 0.020, 0.001);
  EXPECT_EQ(with_errors(2, 2).gates[1].verdict, GateVerdict::pass);
}

TEST(Compare, CountsAreExactWhereEveryRequestHasTheSame) {
  const auto with_calls = [](std::int64_t base, std::int64_t fresh, int runs, std::uint64_t undecided = 0) {
    CompareOptions options;
    options.gates = {gate(Metric::Kind::count, 0, Gate::Unit::absolute)};
    return abba(runs,
                [&](TestRun& run, bool is_fresh, int i) {
                  usual(run, i);
                  run.undecided_calls = undecided;
                  for (auto& o : run.routes[0].requests) o.counts[0] = is_fresh ? fresh : base;
                })
        .compare(options);
  };
  EXPECT_EQ(with_calls(2, 2, 1).verdict, GateVerdict::pass);  // one run a side is enough
  const Comparison more = with_calls(2, 3, 1);
  EXPECT_EQ(more.verdict, GateVerdict::fail);
  EXPECT_TRUE(more.gates[0].estimate.exact);
  EXPECT_EQ(more.gates[0].estimate.difference, 1);
  EXPECT_EQ(with_calls(3, 2, 1).verdict, GateVerdict::pass);
  // Calls that could be of this route: one for each request.
  EXPECT_EQ(with_calls(2, 3, 1, 1000).verdict, GateVerdict::undecided);
  EXPECT_EQ(with_calls(2, 3, 1, 10).verdict, GateVerdict::fail);
  EXPECT_EQ(with_calls(2, 2, 1, 10).verdict, GateVerdict::undecided);
}

TEST(Compare, AnUnevenLoadLeavesExactCountsDecided) {
  CompareOptions options;
  options.gates = {gate(Metric::Kind::count, 0, Gate::Unit::absolute)};
  auto sides = abba(6, [](TestRun& run, bool fresh, int i) {
    usual(run, i);
    for (auto& o : run.routes[0].requests) o.counts[0] = fresh ? 2 : 1;
  });
  for (TestRun& run : sides.base) run.stolen = 0;
  for (TestRun& run : sides.fresh) {
    run.requests = run.requests * 110 / 100;
    run.stolen = (run.end - run.begin) / 5;
  }
  const Comparison c = sides.compare(options);
  EXPECT_TRUE(mentions(c.uneven, "more than 5 % apart") && mentions(c.uneven, "hypervisor"));
  EXPECT_EQ(c.verdict, GateVerdict::fail);
  for (TestRun& run : sides.fresh) run.closed_loop = true;
  const Comparison loops = sides.compare(options);
  EXPECT_TRUE(mentions(loops.uneven, "a closed loop of "));
  EXPECT_EQ(loops.verdict, GateVerdict::fail);
}

TEST(Compare, StolenTimeThatComesAndGoesIsNoObstacle) {
  const auto compared = [](int runs, const std::function<double(bool, std::size_t)>& share) {
    auto sides = abba(runs, [](TestRun& run, bool, int i) { usual(run, i); });
    for (const bool fresh : {false, true}) {
      auto& side = fresh ? sides.fresh : sides.base;
      for (std::size_t i = 0; i < side.size(); ++i)
        side[i].stolen = static_cast<std::int64_t>(share(fresh, i) * static_cast<double>(side[i].end - side[i].begin));
    }
    return sides.compare();
  };
  // Two runs are disturbed, both of the new side.
  const auto now_and_then = [](bool fresh, std::size_t i) { return fresh && i < 2 ? 0.4 : 0.01; };
  const Comparison noisy = compared(6, now_and_then);
  EXPECT_FALSE(mentions(noisy.uneven, "hypervisor"));
  EXPECT_TRUE(mentions(noisy.remarks, "differs no more than from run to run"));
  EXPECT_TRUE(mentions(compared(4, now_and_then).uneven, "hypervisor")) << "too few runs to tell";
  const Comparison uneven =
      compared(6, [](bool fresh, std::size_t i) { return (fresh ? 0.2 : 0.02) + 0.01 * static_cast<double>(i % 2); });
  EXPECT_TRUE(mentions(uneven.uneven, "hypervisor"));
}

TEST(Compare, CountsThatVaryHaveIntervals) {
  CompareOptions options;
  options.gates = {gate(Metric::Kind::count, 0.5, Gate::Unit::absolute)};
  const auto sides = abba(6, [](TestRun& run, bool fresh, int i) {
    usual(run, i);
    std::size_t n = 0;
    for (auto& o : run.routes[0].requests) o.counts[0] = (++n % 3 == 0 ? 1 : 0) + (fresh ? 1 : 0);
  });
  const Comparison c = sides.compare(options);
  EXPECT_FALSE(c.gates[0].estimate.exact);
  EXPECT_GT(c.gates[0].estimate.se, 0);
  EXPECT_EQ(c.verdict, GateVerdict::fail);
}

TEST(Compare, UnknownCountsAreUndecided) {
  CompareOptions options;
  options.gates = {gate(Metric::Kind::count, 0, Gate::Unit::absolute,
                        static_cast<std::uint8_t>(model::gate::Count::response_bytes))};
  const Comparison c =
      abba(6, [](TestRun& run, bool, int i) {
        usual(run, i);
        run.routes[0].requests[7].counts[static_cast<std::size_t>(model::gate::Count::response_bytes)] = -1;
      }).compare(options);
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(c.gates[0].missing, "not known of 1 request of a run"));
}

TEST(Compare, ARouteOfOneSideIsUndecided) {
  const Comparison c = abba(6, [](TestRun& run, bool fresh, int i) {
                         usual(run, i);
                         if (fresh) usual(run, i), run.routes.back().name.route = "/new";
                       }).compare();
  EXPECT_TRUE(std::any_of(c.routes.begin(), c.routes.end(), [](const auto& r) {
    return r.name.route == "/new" && r.absent == "only the new runs have it";
  }));
}

TEST(Compare, AGateOfNoRouteIsUndecided) {
  CompareOptions options;
  options.gates = {gate(Metric::Kind::p99, 0.1)};
  options.gates[0].route = "/none";
  const Comparison c = abba(6, [](TestRun& run, bool, int i) { usual(run, i); }).compare(options);
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(c.gates[0].missing, "no request of this route"));
}

TEST(Compare, OneVersionNeverFails) {
  auto sides = abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 2 : 1); });
  for (auto* side : {&sides.base, &sides.fresh})
    for (TestRun& run : *side) run.preamble.notes = {{"version", "7"}};
  const Comparison c = sides.compare();
  EXPECT_EQ(c.same_version, "version 7");
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
  for (TestRun& run : sides.fresh) run.preamble.notes = {{"version", "8"}};
  EXPECT_EQ(sides.compare().verdict, GateVerdict::fail);
}

struct Spoilt {
  const char* words;
  std::function<void(Sides&)> spoil;
};

TEST(Comparability, WhatCannotBeComparedIsUndecided) {
  const Spoilt all[] = {
      {"kernel",
       [](Sides& s) {
         for (TestRun& r : s.fresh) r.preamble.kernel = "6.2", r.preamble.boot_id = "other";
       }},
      {"number of CPUs", [](Sides& s) { s.fresh[0].preamble.cpus = 4; }},
      {"CPU model AMD EPYC of the base, Intel Xeon of the new runs",
       [](Sides& s) {
         for (TestRun& r : s.base) r.preamble.notes.emplace_back("tailcap.cpu.model", "AMD EPYC");
         for (TestRun& r : s.fresh) r.preamble.notes.emplace_back("tailcap.cpu.model", "Intel Xeon");
       }},
      {"CPU governor performance, powersave of the base",
       [](Sides& s) {
         for (TestRun& r : s.base) r.preamble.notes.emplace_back("tailcap.cpu.governor", "performance");
         for (TestRun& r : s.fresh) r.preamble.notes.emplace_back("tailcap.cpu.governor", "performance");
         s.base[0].preamble.notes.back().second = "powersave";
       }},
      {"shares of connections are recorded: all of the base, 1 of 16 of the new runs",
       [](Sides& s) {
         for (TestRun& r : s.fresh) r.preamble.notes.emplace_back("tailcap.sampling.connections", "1/16 seed 3");
       }},
      {"shares of connections are recorded: several shares",
       [](Sides& s) {
         for (TestRun& r : s.base) r.preamble.notes.emplace_back("tailcap.sampling.connections", "mixed");
         for (TestRun& r : s.fresh) r.preamble.notes.emplace_back("tailcap.sampling.connections", "mixed");
       }},
      {"more than 5 % apart",
       [](Sides& s) {
         for (TestRun& r : s.fresh) r.requests = r.requests * 110 / 100;
       }},
      {"loop",
       [](Sides& s) {
         for (TestRun& r : s.fresh) r.closed_loop = true;
       }},
      {"clock was set", [](Sides& s) { s.base[0].clock_stepped = true; }},
      {"hypervisor",
       [](Sides& s) {
         for (TestRun& r : s.base) r.stolen = 0;
         for (TestRun& r : s.fresh) r.stolen = (r.end - r.begin) / 5;
       }},
      {"given twice", [](Sides& s) { s.fresh[0].preamble.capture_id = s.base[0].preamble.capture_id; }},
      {"a part of the requests only",
       [](Sides& s) {
         model::CutNote cut;
         cut.requests = 5000;
         cut.shown = 1;
         cut.ids = {{1, 1}};
         for (auto& note : cut.to_notes()) s.fresh[0].preamble.notes.push_back(std::move(note));
       }},
      {"not read to the end", [](Sides& s) { s.fresh[0].whole = false; }},
      {"mix of routes",
       [](Sides& s) {
         for (TestRun& r : s.fresh) {
           usual(r, 0);
           r.routes.back().name.route = "/other";
           r.requests -= 1000;
         }
       }},
  };
  for (const Spoilt& one : all) {
    auto sides = abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 1.5 : 1); });
    ASSERT_EQ(sides.compare().verdict, GateVerdict::fail);
    one.spoil(sides);
    const Comparison c = sides.compare();
    EXPECT_EQ(c.verdict, GateVerdict::undecided) << one.words;
    EXPECT_TRUE(mentions(c.obstacles, one.words) || mentions(c.uneven, one.words)) << one.words;
  }
}

// On a busy machine an open loop is late at times.
TEST(Comparability, ARunInWhichTheLoadWasLateIsNoOtherLoad) {
  auto sides = abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 2 : 1); });
  sides.fresh[2].closed_loop = true;
  const Comparison one = sides.compare();
  EXPECT_EQ(one.verdict, GateVerdict::fail);
  EXPECT_FALSE(one.closed_loop);
  EXPECT_TRUE(mentions(one.remarks, "the load of 1 of 12 runs came as a closed loop does"));
  for (int i = 0; i < 4; ++i) sides.fresh[static_cast<std::size_t>(i)].closed_loop = true;
  const Comparison most = sides.compare();
  EXPECT_EQ(most.verdict, GateVerdict::undecided);
  EXPECT_TRUE(most.obstacles.empty());
  EXPECT_TRUE(mentions(most.uneven, "different load: an open loop of "));
}

TEST(Comparability, LossThatDiffersIsUndecided) {
  auto sides = abba(6, [](TestRun& run, bool fresh, int i) { usual(run, i, fresh ? 1.5 : 1); });
  for (TestRun& run : sides.fresh) run.routes[0].doubtful = 5;
  const Comparison c = sides.compare();
  EXPECT_TRUE(mentions(c.gates[0].missing, "loss differs"));
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
}

// A service that asks another recorded one once more is under the same load as before.
TEST(Comparability, CallsBetweenRecordedServicesAreNoLoad) {
  for (const bool within : {true, false}) {
    auto sides = abba(6, [&](TestRun& run, bool fresh, int i) {
      usual(run, i);
      RouteRun& stock = add_route(run, "/stock");
      for (int n = 0; n < (fresh ? 2000 : 1000); ++n) add_request(run, stock, kMillisecond);
      if (!within) return;
      stock.called = stock.requests.size();
      run.requests -= stock.called;
    });
    EXPECT_EQ(mentions(sides.compare().obstacles, "mix of routes"), !within);
    EXPECT_EQ(sides.compare().verdict, within ? GateVerdict::pass : GateVerdict::undecided);
  }
}

std::vector<TestRun> at(std::initializer_list<int> seconds) {
  std::vector<TestRun> out;
  for (const int s : seconds) out.push_back(run_at(s));
  return out;
}

TEST(Comparability, Interleaved) {
  EXPECT_TRUE(compare::interleaved(at({1, 4, 5, 8, 9}), at({2, 3, 6, 7, 10})));  // ABBAABBAAB
  EXPECT_TRUE(compare::interleaved(at({1, 3, 5, 7}), at({2, 4, 6, 8})));         // ABABABAB
  EXPECT_FALSE(compare::interleaved(at({1, 2, 3, 4}), at({5, 6, 7, 8})));
  EXPECT_FALSE(compare::interleaved(at({1, 2, 3, 7}), at({4, 5, 6, 8})));
  EXPECT_TRUE(compare::interleaved(at({1, 2, 4, 5, 7, 8}), at({3, 6, 9})));
  EXPECT_FALSE(compare::interleaved(at({1, 2, 4, 7}), at({3, 5, 6, 8})));  // AABABBAB: the base is earlier
  std::vector<TestRun> unknown = at({1, 4});
  unknown[0].begin = 0;
  EXPECT_FALSE(compare::interleaved(unknown, at({2, 3})));
}

constexpr auto kWaits = static_cast<std::uint8_t>(model::gate::Count::waits);
constexpr auto kAllocations = static_cast<std::uint8_t>(model::gate::Count::allocations);

TEST(Compare, WaitsThatAreNotKnownSayWhatRecordsThem) {
  const auto runs = [](std::int64_t waits) {
    return abba(2, [&](TestRun& run, bool fresh, int i) {
      usual(run, i);
      for (auto& o : run.routes[0].requests) o.counts[kWaits] = fresh ? waits : 2;
      if (waits < 0 && fresh) run.routes[0].uncounted[kWaits] = "not recorded (`--add offcpu`)";
    });
  };
  CompareOptions options;
  options.gates = {gate(Metric::Kind::count, 0, Gate::Unit::absolute, kWaits)};
  EXPECT_EQ(runs(2).compare(options).verdict, GateVerdict::pass);
  EXPECT_EQ(runs(3).compare(options).verdict, GateVerdict::fail);
  const Comparison c = runs(-1).compare(options);
  EXPECT_EQ(c.verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(c.gates[0].missing, "`--add offcpu`")) << c.gates[0].missing[0];
}

constexpr auto kSleep = static_cast<std::uint8_t>(model::Label::timer_sleep);

// Each request of a run has `sleeps` waits under timer.sleep, and another one under another label.
void give_waits(TestRun& run, std::int32_t sleeps) {
  auto& route = run.routes[0];
  for (auto& o : route.requests) {
    o.counts[kWaits] = sleeps + 1;
    o.waits_at = static_cast<std::uint32_t>(route.waits.size());
    route.waits.emplace_back(static_cast<std::uint8_t>(model::Label::lock_futex), 1);
    if (sleeps > 0) route.waits.emplace_back(kSleep, sleeps);
    o.waits_n = static_cast<std::uint32_t>(route.waits.size()) - o.waits_at;
  }
}

TEST(Compare, WaitsUnderALabel) {
  const auto runs = [](std::int32_t before, std::int32_t after) {
    return abba(2, [&](TestRun& run, bool fresh, int i) {
      usual(run, i);
      give_waits(run, fresh ? after : before);
    });
  };
  const auto verdict = [&](std::int32_t before, std::int32_t after, model::Label label) {
    CompareOptions options;
    options.gates = {gate(Metric::Kind::waits, 0, Gate::Unit::absolute, static_cast<std::uint8_t>(label))};
    return runs(before, after).compare(options).verdict;
  };
  EXPECT_EQ(verdict(2, 2, model::Label::timer_sleep), GateVerdict::pass);
  EXPECT_EQ(verdict(0, 1, model::Label::timer_sleep), GateVerdict::fail);
  EXPECT_EQ(verdict(2, 3, model::Label::timer_sleep), GateVerdict::fail);
  EXPECT_EQ(verdict(2, 3, model::Label::lock_futex), GateVerdict::pass);
  EXPECT_EQ(verdict(2, 3, model::Label::io_disk), GateVerdict::pass);
}

// One more sleep is found without being asked for; one more wait for a lock is not: it may be the machine's doing.
TEST(Compare, SleepsAreADefaultGateWhereWaitsAreKnown) {
  const auto gated = [](const Comparison& c, const Metric& metric) {
    return std::ranges::any_of(c.gates, [&](const auto& g) { return g.gate.metric == metric; });
  };
  const Metric sleeps{Metric::Kind::waits, kSleep};
  const auto known = abba(5, [&](TestRun& run, bool fresh, int i) {
                       usual(run, i);
                       give_waits(run, fresh ? 1 : 0);
                     }).compare();
  EXPECT_TRUE(gated(known, sleeps));
  EXPECT_EQ(known.verdict, GateVerdict::fail);
  const auto not_known = abba(5, [&](TestRun& run, bool, int i) {
                           usual(run, i);
                           for (auto& o : run.routes[0].requests) o.counts[kWaits] = -1;
                         }).compare();
  EXPECT_FALSE(gated(not_known, sleeps));
}

// The kernel leaves a wait out now and then: the interval allows for what is not known.
TEST(Compare, AFewUnknownWaitsAreAllowedFor) {
  const auto runs = [](int unknown, std::int64_t more) {
    return abba(6, [&](TestRun& run, bool fresh, int i) {
      usual(run, i);
      auto& requests = run.routes[0].requests;
      for (std::size_t n = 0; n < requests.size(); ++n)
        requests[n].counts[kWaits] = static_cast<int>(n) < unknown ? -1 : 2 + (n % 10 == 0) + (fresh ? more : 0);
      run.routes[0].uncounted[kWaits] = "off-CPU intervals of its thread were missed";
    });
  };
  CompareOptions options;
  options.gates = {gate(Metric::Kind::count, 0.5, Gate::Unit::absolute, kWaits)};
  EXPECT_EQ(runs(8, 0).compare(options).verdict, GateVerdict::pass);
  EXPECT_EQ(runs(8, 1).compare(options).verdict, GateVerdict::fail);
  EXPECT_NEAR(runs(8, 1).compare(options).gates[0].estimate.slack, 0.008 * 4, 1e-9);
  EXPECT_EQ(runs(11, 0).compare(options).verdict, GateVerdict::undecided);
  options.gates = {gate(Metric::Kind::count, 0.01, Gate::Unit::absolute, kWaits)};
  const Comparison close = runs(8, 0).compare(options);
  EXPECT_EQ(close.verdict, GateVerdict::undecided);
  EXPECT_TRUE(mentions(close.gates[0].missing, "not known of all requests"));
}

// Calls without a known parent say nothing about waits.
TEST(Compare, WaitsHaveNoSlack) {
  auto sides = abba(1, [&](TestRun& run, bool, int i) {
    usual(run, i);
    run.undecided_calls = 500;
  });
  CompareOptions options;
  options.gates = {gate(Metric::Kind::count, 0, Gate::Unit::absolute, kWaits)};
  EXPECT_EQ(sides.compare(options).verdict, GateVerdict::pass);
  options.gates = {gate(Metric::Kind::count, 0, Gate::Unit::absolute)};
  EXPECT_EQ(sides.compare(options).verdict, GateVerdict::undecided);
}

// Calls without a known parent that succeeded are no failed calls.
TEST(Compare, FailedCallsHaveASlackOfTheirOwn) {
  const auto verdict = [](std::uint64_t failed) {
    auto sides = abba(1, [&](TestRun& run, bool, int i) {
      usual(run, i);
      run.undecided_calls = 500;
      run.undecided_failed = failed;
    });
    CompareOptions options;
    options.gates = {gate(Metric::Kind::count, 0, Gate::Unit::absolute,
                          static_cast<std::uint8_t>(model::gate::Count::failed_calls))};
    return sides.compare(options).verdict;
  };
  EXPECT_EQ(verdict(0), GateVerdict::pass);
  EXPECT_EQ(verdict(1), GateVerdict::undecided);
}

TEST(Compare, AllocationsAreSumsOverSums) {
  const auto sides = abba(5, [](TestRun& run, bool fresh, int i) {
    usual(run, i);
    // 10 a request, 12 of the new version, and a bit; the second reading has three times the requests.
    const double each = (fresh ? 12 : 10) + 0.01 * (i % 3);
    run.routes[0].readings[0] = {{100 * each, 100}, {300 * each, 300}};
  });
  CompareOptions options;
  options.gates = {gate(Metric::Kind::count, 1, Gate::Unit::absolute, kAllocations)};
  const Comparison c = sides.compare(options);
  EXPECT_EQ(c.verdict, GateVerdict::fail);
  EXPECT_NEAR(c.gates[0].estimate.difference, 2, 0.02);
  EXPECT_FALSE(c.gates[0].estimate.exact);
}

}  // namespace
}  // namespace tailcap::tests
