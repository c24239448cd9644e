#include "analyze/summaries/scorecard.h"

#include "analyze/query/slo_file.h"
#include "tests/unit/summaries/weeks.h"

namespace tailcap::summaries {
namespace {

using formats::Summary;
using model::Scorecard;
using model::SloWeek;
using model::gate::GateVerdict;

// Two weeks of hours: 100 requests of 10 ms each and one that failed every ten hours; in one hour of the second week 50
// of 100 failed after 1 s.
Summary two_weeks() {
  Summary out;
  out.window = kHourLength;
  for (int hour = 0; hour < 14 * 24; ++hour) {
    auto& window = out.windows[kFirstMonday + hour * kHourLength];
    window.covered = kHourLength;
    auto& cell = window.routes[{"shop", "server", "POST", "/pay"}];
    const bool bad = hour == 8 * 24 + 3;
    cell.requests = cell.judged = 100;
    cell.failed = bad ? 50 : hour % 10 == 0 ? 1 : 0;
    cell.durations[2].add(10'000'000, bad ? 50 : 100);
    if (bad) cell.durations[5].add(1'000'000'000, 50);
    cell.labels["lock.futex"].add(1'000'000, 100);
    auto& client = window.routes[{"shop", "client", "GET", "/stock"}];
    client.requests = client.judged = 10;
  }
  return out;
}

std::vector<SloWeek> of(const Scorecard& card, std::size_t objective, bool period = false) {
  std::vector<SloWeek> out;
  for (const SloWeek& w : card.limits)
    if (w.objective == objective && w.of_period == period) out.push_back(w);
  return out;
}

TEST(Scorecard, AvailabilityIsCountedByWeek) {
  const Scorecard card = scorecard_of(two_weeks(), {});
  ASSERT_EQ(card.weeks.size(), 2u);
  EXPECT_EQ(card.weeks[0].week, kFirstMonday);
  EXPECT_EQ(card.weeks[0].requests, 16'800u);
  EXPECT_EQ(card.weeks[0].failed, 17u);  // of 168 hours each tenth
  EXPECT_EQ(card.weeks[0].days, 7u);
  EXPECT_DOUBLE_EQ(card.weeks[0].covered, 1);
  EXPECT_DOUBLE_EQ(*card.weeks[0].availability(), 1 - 17.0 / 16'800);
  EXPECT_EQ(card.weeks[1].failed, 17u + 50u);
}

TEST(Scorecard, BudgetsAndBurnRatesAreThoseOfAHandCalculation) {
  const Scorecard card = scorecard_of(
      two_weeks(),
      query::slos_of("slos:\n- {route: POST /pay, period: 7d, at_most: {errors: 0.2%, p99: 500ms, mean: 11ms, "
                     "lock.futex: 1ms, calls: 3}}"));
  const auto errors = of(card, 0);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].verdict, GateVerdict::pass);
  EXPECT_NEAR(*errors[0].burn, 17.0 / 16'800 / 0.002, 1e-9);
  EXPECT_EQ(errors[1].verdict, GateVerdict::fail);
  EXPECT_NEAR(*errors[1].worst_burn, 0.5 / 0.002, 1e-9);
  EXPECT_EQ(errors[1].worst_hour, kFirstMonday + (8 * 24 + 3) * kHourLength);
  const auto budget = of(card, 0, true);
  ASSERT_EQ(budget.size(), 1u);
  EXPECT_NEAR(*budget[0].budget_left, 1 - 67.0 / (0.002 * 16'800), 1e-9);  // more than all of it is used

  const auto latency = of(card, 1);
  EXPECT_EQ(latency[1].verdict, GateVerdict::pass);  // 50 of 16,800 were slower
  EXPECT_NEAR(*latency[1].burn, 50.0 / 16'800 / 0.01, 1e-9);
  EXPECT_NEAR(*latency[1].value, 10e6, 0.0217 * 10e6);

  EXPECT_EQ(of(card, 2)[0].verdict, GateVerdict::pass);
  EXPECT_DOUBLE_EQ(*of(card, 2)[0].value, 10e6);
  EXPECT_EQ(of(card, 2)[1].verdict, GateVerdict::fail);  // 10 ms + 50 × 990 ms / 16,800 = 12.9 ms
  EXPECT_EQ(of(card, 3)[0].verdict, GateVerdict::pass);
  EXPECT_EQ(of(card, 4)[0].verdict, GateVerdict::undecided);
  EXPECT_EQ(of(card, 4)[0].missing, "summaries do not hold calls");
}

TEST(Scorecard, ALimitWithinABucketIsUndecided) {
  const Scorecard card = scorecard_of(two_weeks(), query::slos_of("slos:\n- {route: '*', at_most: {p50: 10001us}}"));
  EXPECT_EQ(of(card, 0)[0].verdict, GateVerdict::undecided);
  EXPECT_NE(of(card, 0)[0].missing.find("precision"), std::string::npos);
}

TEST(Scorecard, RolesAndPatternsChoose) {
  const auto limits = [](const char* yaml) { return scorecard_of(two_weeks(), query::slos_of(yaml)).limits.size(); };
  EXPECT_EQ(limits("slos:\n- {route: /pay, at_most: {errors: 1%}}"), 3u);
  EXPECT_EQ(limits("slos:\n- {route: /stock, at_most: {errors: 1%}}"), 0u);
  EXPECT_EQ(limits("slos:\n- {route: /stock, role: client, at_most: {errors: 1%}}"), 3u);
  EXPECT_EQ(limits("slos:\n- {route: GET /p*, at_most: {errors: 1%}}"), 0u);
}

TEST(Scorecard, MissingDaysAreShown) {
  Summary some = two_weeks();
  some.windows.erase(some.windows.begin(), some.windows.lower_bound(kFirstMonday + 5 * kDayOfHours));
  const Scorecard card = scorecard_of(some, {});
  EXPECT_EQ(card.weeks[0].days, 2u);
  EXPECT_NEAR(card.weeks[0].covered, 2.0 / 7, 1e-9);
}

}  // namespace
}  // namespace tailcap::summaries
