// Changes made while recording: the one with an effect is named, and none if there was no effect.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numeric>
#include <string>

#include "analyze/tail/changes/change_study.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests::changes_test {
namespace {

using model::ShiftVerdict;
using model::Study;

std::size_t runs(std::size_t usual) {
  const char* const more = std::getenv("TAILCAP_TEST_RUNS");
  return more ? std::strtoull(more, nullptr, 10) : usual;
}

// A typical service with four notes, each after a fifth of the time; from the third on everything takes `more` longer,
// and one request in fifty `rarely` longer.
struct Service {
  std::uint64_t seed = 1;
  double seconds = 100, per_second = 200, correlation = 1;
  bool busy = false;
  std::int64_t more = 0, rarely = 0;
  double trend = 0;   // growth over the whole recording
  double from = 0.6;  // the part of the recording after which it becomes slower
  std::size_t routes = 1;
};

struct Recorded {
  model::RequestTable table;
  Study study;
};

void record(const Service& s, Recorded& out) {
  std::vector<std::vector<std::uint32_t>> rows(s.routes);
  Ordinary service(s.seed, s.correlation, s.busy);
  model::Request row;
  row.outcome = model::Outcome::ok;
  row.complete = row.has_duration = true;
  std::uint32_t n = 0;
  for (double at = 0; at < s.seconds; ++n) {
    const double gap = service.exponential(1 / s.per_second);
    at += gap;
    double ns = 0;
    for (const auto& [label, time] : service.next(gap)) ns += static_cast<double>(time);
    ns *= 1 + s.trend * at / s.seconds;
    const bool slowed = n % s.routes == 0 && at >= s.from * s.seconds;
    if (slowed) ns += static_cast<double>(s.more);
    if (slowed && service.uniform() < 0.02) ns += static_cast<double>(s.rarely);
    row.id = {1, n};
    row.start = formats::time_from(1'000'000'000 + std::llround(at * 1e9));
    row.duration = model::Duration{std::llround(ns)};
    rows[n % s.routes].push_back(n);
    out.table.rows.push_back(row);
  }
  out.study.begin = formats::time_from(1'000'000'000);
  out.study.end = formats::time_from(1'000'000'000 + std::llround(s.seconds * 1e9));
  for (int i = 1; i <= 4; ++i) {
    model::Change& change = out.study.changes.changes.emplace_back();
    change.at = formats::time_from(1'000'000'000 + std::llround(s.seconds * i / 5 * 1e9));
    change.key = "deploy";
    change.value = "v" + std::to_string(i);
  }
  std::vector<const std::vector<std::uint32_t>*> by_route;
  for (const auto& r : rows) by_route.push_back(&r);
  tail::changes::study_changes(out.table, by_route, out.study);
}

std::size_t claims(const Recorded& r) {
  std::size_t n = 0;
  for (const auto& s : r.study.changes.shifts)
    n += (s.median.verdict == ShiftVerdict::shifted) + (s.p99.verdict == ShiftVerdict::shifted);
  return n;
}

TEST(Changes, TheOneThatMadeItSlowerIsFirst) {
  std::size_t true_ones = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Recorded r;
    record({.seed = seed, .correlation = 0.05, .more = 5'000'000}, r);
    ASSERT_EQ(r.study.changes.shifts.size(), 3u);
    const auto& first = r.study.changes.shifts.front();
    EXPECT_EQ(first.change, 2u);
    EXPECT_EQ(first.median.verdict, ShiftVerdict::shifted) << first.median.reason;
    true_ones += first.median.low.count() <= 5'000'000 && first.median.high.count() >= 5'000'000;
    EXPECT_GT(first.median.low.count(), 4'000'000);
    EXPECT_LT(first.median.high.count(), 6'000'000);
    EXPECT_EQ(first.from, r.study.changes.changes[1].at);
    EXPECT_EQ(first.to, r.study.changes.changes[3].at);
    for (std::size_t i = 1; i < 3; ++i) EXPECT_FALSE(r.study.changes.shifts[i].shifted()) << seed;
  }
  EXPECT_GE(true_ones, 17u) << "95 % intervals";
}

TEST(Changes, OneThatSlowedDownTheSlowestOnlyIsSaidToBeThat) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Recorded r;
    record({.seed = seed, .seconds = 150, .correlation = 0.05, .rarely = 50'000'000}, r);
    const auto& first = r.study.changes.shifts.front();
    if (first.p99.verdict != ShiftVerdict::shifted) continue;
    ++found;
    EXPECT_EQ(first.change, 2u);
    EXPECT_EQ(first.median.verdict, ShiftVerdict::none);
    EXPECT_FALSE(first.median.reason.empty());
    EXPECT_GT(first.p99.low.count(), 20'000'000);
    EXPECT_LT(first.p99.high.count(), 80'000'000);
    EXPECT_EQ(claims(r), 1u);
  }
  EXPECT_GE(found, 4u);
}

TEST(Changes, FasterIsAChangeToo) {
  Recorded r;
  record({.seed = 3, .correlation = 0.05, .more = -5'000'000}, r);
  const auto& first = r.study.changes.shifts.front();
  EXPECT_EQ(first.change, 2u);
  EXPECT_EQ(first.median.verdict, ShiftVerdict::shifted) << first.median.reason;
  EXPECT_LT(first.median.high.count(), 0);
}

TEST(Changes, OnlyTheRouteThatChangedIsNamed) {
  Recorded r;
  record({.seed = 7, .seconds = 150, .correlation = 0.05, .more = 6'000'000, .routes = 3}, r);
  ASSERT_EQ(r.study.changes.shifts.size(), 9u);
  EXPECT_EQ(r.study.changes.shifts[0].route, 0u);
  EXPECT_EQ(r.study.changes.shifts[0].change, 2u);
  EXPECT_TRUE(r.study.changes.shifts[0].shifted());
  for (std::size_t i = 1; i < 9; ++i) EXPECT_FALSE(r.study.changes.shifts[i].shifted());
}

// Machines that drift in ways that no single stretch of time shows.
TEST(Changes, NothingIsNamedWhereNothingChanged) {
  const std::size_t n = runs(4);
  std::size_t wrong = 0, looked_at = 0;
  for (const double seconds : {20., 60., 200.})
    for (const double correlation : {0.05, 1., 5.})
      for (const bool busy : {false, true})
        for (const double trend : {0., 1.})
          for (std::size_t run = 0; run < n; ++run) {
            Recorded r;
            record({.seed = 100 + run, .seconds = seconds, .correlation = correlation, .busy = busy, .trend = trend},
                   r);
            wrong += claims(r);
            looked_at += 2 * r.study.changes.shifts.size();
          }
  EXPECT_EQ(looked_at, 36 * n * 6);
  EXPECT_LE(static_cast<double>(wrong), 0.01 * static_cast<double>(looked_at)) << wrong << " of " << looked_at;
  RecordProperty("wrong", static_cast<int>(wrong));
}

TEST(Changes, WhatCameBetweenTwoOfThemIsNeithers) {
  for (const double from : {0.5, 0.7}) {
    Recorded r;
    record({.seed = 11, .correlation = 0.05, .more = 8'000'000, .from = from}, r);
    EXPECT_EQ(claims(r), 0u) << from;
  }
}

TEST(Changes, TooFewRequestsAreRefused) {
  Recorded r;
  record({.seed = 1, .seconds = 10, .per_second = 2, .more = 50'000'000}, r);
  for (const auto& s : r.study.changes.shifts) {
    EXPECT_EQ(s.median.verdict, ShiftVerdict::refused);
    EXPECT_EQ(s.p99.verdict, ShiftVerdict::refused);
    EXPECT_FALSE(s.median.reason.empty());
  }
  Recorded none;
  record({.seed = 1, .seconds = 10, .per_second = 0.01}, none);
  EXPECT_EQ(claims(none), 0u);
}

TEST(Changes, OnlyTheLastThreeWithinTheTimeLookedAtAreCompared) {
  Recorded r;
  record({.seed = 1}, r);
  for (const auto& s : r.study.changes.shifts) EXPECT_GE(s.change, 1u);
  Recorded part;
  record({.seed = 1}, part);
  part.study.begin = part.study.changes.changes[2].at + std::chrono::seconds{1};
  std::vector<std::uint32_t> rows(part.table.rows.size());
  std::iota(rows.begin(), rows.end(), 0);
  tail::changes::study_changes(part.table, {&rows}, part.study);
  ASSERT_EQ(part.study.changes.shifts.size(), 1u);
  EXPECT_EQ(part.study.changes.shifts[0].change, 3u);
}

}  // namespace
}  // namespace tailcap::tests::changes_test
