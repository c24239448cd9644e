#include "analyze/summaries/fleet.h"

#include <gtest/gtest.h>

#include "analyze/query/slo_file.h"
#include "tests/unit/summaries/weeks.h"

namespace tailcap::summaries {
namespace {

using formats::Summary;
using model::FleetService;
using model::FleetStudy;
using model::ServiceHealth;

constexpr int kBadHour = 14;

// `days` of the service "shop", and beside it "stock", which is half as slow; of the last day, from kBadHour on shop is
// `slower`, because it waits for stock.
Summary weeks_with(int days, double slower, std::uint64_t seed) {
  Summary out, other;
  SyntheticWeeks shop({}, seed), stock({.median = 10e6}, seed + 1);
  for (int day = 0; day < days; ++day) {
    shop.add_day(out, day, day == days - 1 ? slower : 1, kBadHour);
    stock.add_day(other, day);
  }
  for (auto& [start, window] : other.windows)
    for (auto& [route, cell] : window.routes) out.windows[start].routes[{"stock", "server", "GET", "/stock"}] = cell;
  const std::int64_t bad = kFirstMonday + (days - 1) * kDayOfHours + kBadHour * kHourLength;
  for (auto& [start, window] : out.windows) {
    auto& cell = window.routes[{"shop", "server", "GET", "/cart"}];
    cell.labels["down.wait"].add(start >= bad && slower > 1 ? 20'000'000 : 2'000'000, cell.requests);
    cell.labels["cpu"].add(5'000'000, cell.requests);
    window.edges[{"shop", "stock"}].requests = cell.requests;
    window.edges[{"shop", "stock"}].durations.add(start >= bad ? 18'000'000 : 1'500'000, cell.requests);
  }
  out.captures.insert({"a", "web-1", out.windows.begin()->first, out.windows.rbegin()->first + kHourLength, 0, true});
  return out;
}

const FleetService& service_in(const FleetStudy& study, const std::string& name) {
  for (const FleetService& s : study.services)
    if (s.service == name) return s;
  throw std::runtime_error("no such service");
}

TEST(Fleet, SaysWhichServiceIsNotWellSinceWhenAndWhatItsTimeIsSpentOn) {
  const FleetStudy study = fleet_of(weeks_with(15, 1.6, 5), {});
  ASSERT_EQ(study.services.size(), 2u);
  EXPECT_EQ(study.no_baseline, "");
  const FleetService& shop = study.services.front();
  EXPECT_EQ(shop.service, "shop");
  EXPECT_EQ(shop.health, ServiceHealth::not_well);
  EXPECT_EQ(shop.since, kFirstMonday + 14 * kDayOfHours + kBadHour * kHourLength);
  EXPECT_TRUE(shop.lasts);
  ASSERT_GE(shop.labels.size(), 2u);
  EXPECT_EQ(shop.labels[0].name, "down.wait");
  EXPECT_DOUBLE_EQ(shop.labels[0].now, 20e6);
  EXPECT_DOUBLE_EQ(*shop.labels[0].before, 2e6);
  ASSERT_EQ(shop.callees.size(), 1u);
  EXPECT_EQ(shop.callees[0].name, "stock");
  EXPECT_DOUBLE_EQ(shop.callees[0].now, 18e6);
  EXPECT_EQ(service_in(study, "stock").health, ServiceHealth::well);
  ASSERT_FALSE(study.routes.empty());
  EXPECT_EQ(study.routes.front().route.service, "shop");
  EXPECT_GT(*study.routes.front().now.all().quantile(0.95), 1.2 * *study.routes.front().before_p95);
}

TEST(Fleet, WhatIsAsUsualIsWell) {
  const FleetStudy study = fleet_of(weeks_with(15, 1, 5), {});
  for (const FleetService& s : study.services) {
    EXPECT_EQ(s.health, ServiceHealth::well) << s.service;
    EXPECT_EQ(s.since, 0);
  }
}

TEST(Fleet, WithoutABaselineNothingIsJudged) {
  const FleetStudy study = fleet_of(weeks_with(3, 1.6, 5), {});
  EXPECT_NE(study.no_baseline, "");
  for (const FleetService& s : study.services) {
    EXPECT_EQ(s.health, ServiceHealth::not_judged) << s.service;
    EXPECT_FALSE(s.unjudged.empty());
  }
}

TEST(Fleet, ABaselineOfOtherSummaries) {
  const Summary usual = weeks_with(14, 1, 5), all = weeks_with(15, 1.6, 5);
  Summary today;
  today.window = all.window;
  today.windows.insert(all.windows.lower_bound(kFirstMonday + 14 * kDayOfHours), all.windows.end());
  FleetOptions options;
  options.usual = &usual;
  const FleetStudy study = fleet_of(today, options);
  EXPECT_EQ(study.services.front().service, "shop");
  EXPECT_EQ(study.services.front().health, ServiceHealth::not_well);
}

// More requests than usual are no harm.
TEST(Fleet, ARateAboveItsBandIsNoHarm) {
  Summary all = weeks_with(15, 1, 5);
  const std::int64_t last = kFirstMonday + 14 * kDayOfHours;
  for (auto at = all.windows.lower_bound(last); at != all.windows.end(); ++at)
    for (auto& [route, cell] : at->second.routes) {
      if (route.service != "shop") continue;
      const auto once = cell;
      for (int i = 0; i < 3; ++i) formats::add_cell(cell, once);
    }
  const FleetStudy study = fleet_of(all, {});
  const FleetService& shop = service_in(study, "shop");
  ASSERT_FALSE(shop.outside.empty());
  EXPECT_EQ(shop.outside.front().metric, model::BandMetric::rate);
  EXPECT_EQ(shop.health, ServiceHealth::well);
}

TEST(Fleet, AnErrorBudgetThatBurns) {
  Summary all = weeks_with(3, 1, 5);
  const std::int64_t bad = kFirstMonday + 2 * kDayOfHours + 20 * kHourLength;
  for (auto at = all.windows.lower_bound(bad); at != all.windows.end(); ++at) {
    auto& cell = at->second.routes[{"shop", "server", "GET", "/cart"}];
    cell.failed = cell.judged / 10;
  }
  const FleetStudy study = fleet_of(all, {.slos = query::slos_of("slos:\n- {route: '*', at_most: {errors: 2%}}\n")});
  const FleetService& shop = study.services.front();
  EXPECT_EQ(shop.service, "shop");
  EXPECT_EQ(shop.health, ServiceHealth::not_well);
  EXPECT_EQ(shop.since, bad);
  EXPECT_TRUE(shop.lasts);
  ASSERT_EQ(shop.limits.size(), 1u);
  EXPECT_NEAR(study.scorecard.limits[shop.limits[0]].burning, 5, 0.1);
  EXPECT_EQ(service_in(study, "stock").health, ServiceHealth::well);
}

// One of 50 requests that takes too long is no proof, though the limit allows one of 100.
TEST(Fleet, AFewRequestsProveNothing) {
  Summary few;
  few.window = kHourLength;
  for (int hour = 0; hour < 24; ++hour) {
    auto& cell = few.windows[kFirstMonday + hour * kHourLength].routes[{"shop", "server", "GET", "/cart"}];
    cell.requests = cell.judged = 50;
    cell.durations[2].add(1'000'000, 49);
    cell.durations[2].add(900'000'000, 1);
  }
  const FleetStudy study = fleet_of(few, {.slos = query::slos_of("slos:\n- {route: '*', at_most: {p99: 200ms}}\n")});
  EXPECT_NE(study.services.front().health, ServiceHealth::not_well);
}

}  // namespace
}  // namespace tailcap::summaries
