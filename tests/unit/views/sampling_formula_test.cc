#include "analyze/report/policy/registry_json.h"
#include "tests/unit/views/policy_case.h"

namespace tailcap::policy {
namespace {

using model::policy::BreakerState;
using model::policy::formula_rate;
using model::policy::FormulaWindow;
using model::policy::PolicyAction;
using model::policy::PolicyOutcome;
using model::policy::RateFormula;
using model::policy::SamplingVariant;
using tests::at;
using FormulaReplay = tests::PolicyCase;
using What = PolicyAction::What;

double adaptive(double p95_ms, double errors, double per_second) {
  return formula_rate(RateFormula::adaptive, errors, per_second, p95_ms);
}
double clamped(double p95_ms, double errors, double per_second) {
  return formula_rate(RateFormula::adaptive_clamped, errors, per_second, p95_ms);
}

TEST(RateFormula, HasTheValuesOfTheDocuments) {
  EXPECT_DOUBLE_EQ(adaptive(800, 0, 1000), 0.5);
  EXPECT_DOUBLE_EQ(adaptive(1800, 0, 1000), 0.25);
  EXPECT_DOUBLE_EQ(adaptive(2400, 0, 1000), 0.1);
  EXPECT_DOUBLE_EQ(adaptive(10'000, 0, 0), 0.02);
  EXPECT_EQ(adaptive(800, 0.0501, 1000), 0.01);
  // 5 % exactly is not above it, also where it is a share of requests.
  EXPECT_DOUBLE_EQ(adaptive(800, 0.05, 1000), 0.5);
  EXPECT_DOUBLE_EQ(adaptive(800, 1.0 / 20, 1000), 0.5);
  EXPECT_DOUBLE_EQ(adaptive(800, 0, 5000), 0.5);
}

TEST(RateFormula, VerbatimExceedsItsBaseBelow800MsAndTheClampedOneDoesNot) {
  EXPECT_DOUBLE_EQ(adaptive(0, 0, 1000), 0.7);
  EXPECT_DOUBLE_EQ(clamped(0, 0, 1000), 0.5);
  EXPECT_DOUBLE_EQ(adaptive(400, 0, 0), 0.12);
  EXPECT_DOUBLE_EQ(clamped(400, 0, 0), 0.1);
  for (const double p95 : {800.0, 1800.0, 2400.0, 10'000.0}) EXPECT_EQ(adaptive(p95, 0, 500), clamped(p95, 0, 500));
  EXPECT_EQ(clamped(0, 0.06, 1000), 0.01);
}

TEST(RateFormula, IsNotKnownWithoutItsFigures) {
  EXPECT_EQ(formula_rate(RateFormula::adaptive, {0, 0.0, {}, {}}), std::nullopt);
  EXPECT_EQ(formula_rate(RateFormula::adaptive, {19, 1.9, 0.0, {}}), std::nullopt);
  EXPECT_EQ(formula_rate(RateFormula::adaptive, {20, {}, 0.0, 1e9}), std::nullopt);
  // Too many errors decide alone.
  EXPECT_EQ(formula_rate(RateFormula::adaptive, {3, {}, 0.5, {}}), 0.01);
  EXPECT_EQ(formula_rate(RateFormula::adaptive, {20, 1000.0, 0.0, 800e6}), 0.5);
}

TEST_F(FormulaReplay, AWindowIsDecidedByTheOneBefore) {
  // 10 s each: fast, slow, failing, silent, and one of 19.
  for (int i = 0; i < 1000; ++i) served(i * 0.01, 1);
  for (int i = 0; i < 1000; ++i) served(10 + i * 0.009, 900);
  for (int i = 0; i < 100; ++i) served(20 + i * 0.05, 1, i < 6 ? 500 : 200);
  for (int i = 0; i < 19; ++i) served(40 + i * 0.1, 1);
  const PolicyOutcome out = replayed("sampling: {formula: adaptive, rate: 80%}", 55);
  const auto& windows = out.sampling->windows;
  ASSERT_EQ(windows.size(), 4u);  // there is no row of a window without requests
  EXPECT_EQ(windows[0].from, at(0));
  EXPECT_EQ(windows[0].route, "GET /pay");
  EXPECT_EQ(windows[0].figures.requests, 1000u);
  EXPECT_EQ(windows[0].figures.per_second, 100.0);
  EXPECT_EQ(windows[0].figures.p95, 1e6);
  EXPECT_EQ(windows[0].by_formula[0].rate, 0.8);
  EXPECT_FALSE(windows[0].by_formula[0].known);
  EXPECT_TRUE(windows[1].by_formula[0].known);
  EXPECT_DOUBLE_EQ(windows[1].by_formula[0].rate, 0.14 * (1 + 799.0 / 2000));
  EXPECT_DOUBLE_EQ(windows[1].by_formula[1].rate, 0.14);
  EXPECT_DOUBLE_EQ(windows[2].by_formula[0].rate, 0.14 * 0.95);
  EXPECT_EQ(windows[3].from, at(40));
  EXPECT_FALSE(windows[3].by_formula[0].known);  // the window before it is silent
  EXPECT_EQ(windows[3].figures.p95, std::nullopt);
  // What was kept is by these rates.
  std::uint64_t kept = 0;
  for (const FormulaWindow& window : windows) kept += window.by_formula[0].kept;
  EXPECT_EQ(out.sampling->all.kept, kept);
  ASSERT_EQ(out.sampling->variants.size(), 2u);
  EXPECT_EQ(out.sampling->variants[0].all.kept, kept);
  // The rates: after the failing window 1 %, then again what the policy says.
  std::vector<std::pair<formats::Time, double>> rates;
  for (const PolicyAction& action : out.actions) rates.emplace_back(action.at, action.to);
  const double fast = 0.14 * (1 + 799.0 / 2000), slow = 0.14 * 0.95;
  const std::vector<std::pair<formats::Time, double>> expected = {
      {at(10), fast}, {at(20), slow}, {at(30), 0.01}, {at(40), 0.8}};
  ASSERT_EQ(rates.size(), expected.size());
  for (std::size_t i = 0; i < rates.size(); ++i) {
    EXPECT_EQ(rates[i].first, expected[i].first);
    EXPECT_DOUBLE_EQ(rates[i].second, expected[i].second);
  }
  // The last window is not over: the last decision is that of 50 s.
  ASSERT_EQ(out.sampling->registry.routes.size(), 1u);
  EXPECT_EQ(out.sampling->registry.routes[0].rate, 0.8);
  EXPECT_EQ(out.sampling->registry.routes[0].decided, at(50));
}

TEST_F(FormulaReplay, WindowsEndBetweenLooks) {
  for (int i = 0; i < 2000; ++i) served(i * 0.01, 1);
  const PolicyOutcome out = replayed("every: 7s\nsampling: {formula: adaptive_clamped}", 20);
  EXPECT_EQ(out.looks, 2u);
  ASSERT_EQ(out.actions.size(), 1u);
  EXPECT_EQ(out.actions[0].at, at(10));
  EXPECT_EQ(out.actions[0].from, 1.0);
  EXPECT_DOUBLE_EQ(out.actions[0].to, 0.14);
}

TEST_F(FormulaReplay, APartOfTheConnectionsStandsForAll) {
  for (int i = 0; i < 1000; ++i) served(i * 0.01, 1);
  EXPECT_DOUBLE_EQ(replayed("sampling: {formula: adaptive_clamped}", 11, 4).sampling->registry.routes[0].rate, 0.26);
  // How many there are is not known: neither is the rate.
  EXPECT_EQ(replayed("sampling: {formula: adaptive_clamped, rate: 7%}", 11, 0).sampling->registry.routes[0].rate, 0.07);
}

TEST_F(FormulaReplay, VariantsHaveAdaptOnlyWhereTheyAreSaidTo) {
  for (int i = 0; i < 2000; ++i) served(i * 0.01, 1);
  const PolicyOutcome out = replayed(
      "conditions: [{name: busy, at_least: {rate: 50}, over: 1s}]\n"
      "sampling: {formula: adaptive, rate: 0%, adapt: [{when: busy, rate: 100%}]}",
      20);
  const auto& variants = out.sampling->variants;
  ASSERT_EQ(variants.size(), 4u);
  EXPECT_EQ(variants[0].kind, SamplingVariant::Kind::policy);
  EXPECT_EQ(variants[0].all.kept, 1900u);  // all but those of the first second
  EXPECT_EQ(out.sampling->all.kept, 1900u);
  EXPECT_LT(variants[1].all.kept, 400u);
  EXPECT_LT(variants[2].all.kept, variants[1].all.kept);
  EXPECT_EQ(variants[3].all.kept, 1900u);
}

TEST_F(FormulaReplay, ActionsAtOneTimeHaveAnOrder) {
  for (int i = 0; i < 300; ++i) {
    served(i * 0.01, 1, i < 100 ? 503 : 200);
    served(i * 0.01, 1, 200, "/a");
  }
  const PolicyOutcome out = replayed(R"(
conditions:
  - {name: z, route: /pay, at_least: {errors: 50%}, over: 1s}
  - {name: a, route: /pay, at_least: {errors: 20%}, over: 1s}
sampling: {rate: 10%, adapt: [{when: z, route: /pay, rate: 50%}, {when: a, rate: 20%}]}
breakers:
  - {name: second, route: /pay, open: [a, z], open_for: 1s}
  - {name: first, route: /pay, open: [z], open_for: 1s}
)",
                                     3);
  std::vector<std::string> said;
  for (const PolicyAction& a : out.actions) {
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(a.at - at(0)).count();
    std::string one = std::to_string(second) + " " + std::string(name_of(a.what));
    if (a.breaker != SIZE_MAX) one += " " + out.policy.breakers[a.breaker].name;
    if (a.what == What::rate) one += " " + a.route + " " + std::to_string(std::lround(100 * a.to));
    if (a.condition != SIZE_MAX) one += " " + out.policy.conditions[a.condition].name;
    said.push_back(one);
  }
  const std::vector<std::string> expected = {"1 fired z",
                                             "1 fired a",
                                             "1 rate GET /a 20 a",
                                             "1 rate GET /pay 50 z",
                                             "1 opened second a",
                                             "1 opened first z",
                                             "2 resolved z",
                                             "2 resolved a",
                                             "2 rate GET /a 10 a",
                                             "2 rate GET /pay 10 z",
                                             "2 half_opened second",
                                             "2 half_opened first",
                                             "3 closed second",
                                             "3 closed first"};
  EXPECT_EQ(said, expected);
  EXPECT_EQ(out.actions_total, expected.size());
  EXPECT_EQ(out.firings[0].values_after.at(0), 0.0);
}

TEST_F(FormulaReplay, ARegistryIsReadAgain) {
  for (int i = 0; i < 1000; ++i) {
    served(i * 0.01, 1);
    served(i * 0.01, 1, 200, "/x\"\\\n*");
  }
  const PolicyOutcome out =
      replayed("sampling: {formula: adaptive, rate: 12.3%, key: x_request_id, keep: 'status >= 500'}", 13);
  model::WallClock clock;
  clock.add(at(0), 1'700'000'000'000'000'000, {});
  const auto text = report::registry_json(out, clock, 1 << 20);
  EXPECT_EQ(text.listed, 2u);
  EXPECT_EQ(text.left_out, 0u);
  const auto read = query::policy_of(text.json).sampling;
  ASSERT_TRUE(read);
  EXPECT_EQ(read->rate, 0.123);
  EXPECT_EQ(read->key, model::policy::PolicySampling::Key::request_id);
  EXPECT_EQ(read->keep, "status >= 500");
  ASSERT_EQ(read->routes.size(), 2u);
  EXPECT_EQ(read->routes[0].route, "GET /pay");
  EXPECT_EQ(read->routes[1].route, "GET /x\"\\\n*");
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read->routes[i].rate, out.sampling->registry.routes[i].rate);
    EXPECT_EQ(read->routes[i].decided, "2023-11-14T22:13:30.000000000Z");
  }
  // It keeps what its rates say from the beginning.
  const PolicyOutcome again = replayed(text.json.c_str(), 13);
  EXPECT_EQ(again.sampling->changes.size(), 1u);
  EXPECT_LT(again.sampling->all.kept, out.sampling->all.kept + 300);
  EXPECT_GT(again.sampling->all.kept, 0u);
  // What has no room is left out, and counted.
  const auto small = report::registry_json(out, clock, 240);
  EXPECT_EQ(small.listed, 1u);
  EXPECT_EQ(small.left_out, 1u);
  EXPECT_LE(small.json.size(), 240u);
  EXPECT_EQ(query::policy_of(small.json).sampling->routes.size(), 1u);
}

}  // namespace
}  // namespace tailcap::policy
