#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "analyze/report/tail/load_lines.h"
#include "analyze/tail/load/load_study.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests {
namespace {

constexpr std::int64_t kMs = 1'000'000;

std::vector<std::uint32_t> all_rows(const model::RequestTable& table) {
  std::vector<std::uint32_t> rows(table.rows.size());
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

TEST(TailLoad, CountsWhatWasUnderWay) {
  TailCase c;
  // One at a time for 1 ms; then four together, 10 ms each, begun 1 ms apart.
  for (int i = 0; i < 50; ++i) {
    const std::int64_t at = i * 100 * kMs;
    c.add("/a", at, {{Label::cpu, kMs}});
    c.keep();
    for (int k = 0; k < 4; ++k) {
      c.add("/a", at + (20 + k) * kMs, {{Label::cpu, 10 * kMs}});
      c.keep();
    }
  }
  const auto bands = tail::load::in_flight_bands(c.table, all_rows(c.table));
  ASSERT_EQ(bands.size(), 3u);
  EXPECT_EQ(bands[0].from, 1u);
  EXPECT_EQ(bands[0].to, 1u);
  EXPECT_EQ(bands[0].count, 100u);
  EXPECT_EQ(bands[1].from, 2u);
  EXPECT_EQ(bands[1].to, 2u);
  EXPECT_EQ(bands[1].count, 50u);
  EXPECT_EQ(bands[2].from, 3u);
  EXPECT_EQ(bands[2].to, 4u);
  EXPECT_EQ(bands[2].count, 100u);
  EXPECT_EQ(bands[1].median.count(), 10 * kMs);
}

TEST(TailLoad, LittlesLawHoldsUnlessRequestsNeverEnd) {
  for (const bool hang : {false, true}) {
    TailCase c;
    for (int i = 0; i < 1000; ++i) {
      auto& row = c.add("/a", i * 10 * kMs, {{Label::cpu, 5 * kMs}});
      if (hang && i % 200 == 0) {
        row.has_duration = row.complete = row.has_phases = false;
        row.outcome = model::Outcome::in_flight;
        row.taints = static_cast<model::Taints>(model::Taint::cut_off);
      }
      c.keep();
    }
    const auto check = tail::load::little_check(c.table, all_rows(c.table), formats::time_from(1'000'000'000),
                                                formats::time_from(1'000'000'000 + 10'000 * kMs));
    EXPECT_NEAR(check.expected, 0.5, 0.01);
    EXPECT_EQ(check.holds, !hang);
    EXPECT_NEAR(check.in_flight, hang ? 3.5 : 0.5, 0.1);
  }
}

TEST(TailLoad, HeadOfLineCountsVictimsByConnection) {
  TailCase c;
  for (int i = 0; i < 96; ++i) {
    auto& row = c.add(
        "/a", i * kMs,
        {{Label::cpu, kMs}, {Label::q_hol_h2, i % 32 == 5 ? 3 * kMs : 0}, {Label::net_reorder, i == 7 ? kMs : 0}});
    row.protocol = model::Protocol::http2;
    c.keep();
  }
  c.table.partitions.sort();
  const auto held = tail::load::head_of_line(c.table, all_rows(c.table));
  ASSERT_EQ(held.size(), 2u);
  EXPECT_EQ(held[0].label, Label::q_hol_h2);
  EXPECT_EQ(held[0].requests, 3u);
  EXPECT_EQ(held[0].connections, 1u);
  EXPECT_EQ(held[0].time, 9 * kMs);
  EXPECT_EQ(held[0].worst, 6u);
  EXPECT_EQ(held[1].requests, 1u);
}

// Requests that each make four calls at once; `together`: the calls are slow at the same time.
model::FanOut fan_out(bool together) {
  TailCase c;
  std::mt19937_64 random(3);
  std::vector<model::Causes::Link> links;
  std::vector<std::uint32_t> parents;
  for (int i = 0; i < 4000; ++i) {
    const bool all_slow = random() % 120 == 0;
    const model::ExchangeId parent = c.add("/page", i * 100 * kMs, {{Label::down_wait, 20 * kMs}}).id;
    parents.push_back(static_cast<std::uint32_t>(c.table.rows.size()));
    c.keep();
    for (int k = 0; k < 4; ++k) {
      const bool slow = together ? all_slow : random() % 120 == 0;
      auto& call = c.add(k == 0 ? "/stock" : "/price", i * 100 * kMs + k * 1000,
                         {{Label::down_wait, slow ? 50 * kMs + k : kMs + static_cast<std::int64_t>(random() % 1000)}});
      call.role = model::Role::client;
      links.emplace_back(call.id, model::Cause{parent, model::CauseMethod::thread, true, 0});
      c.keep();
    }
  }
  std::sort(links.begin(), links.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  c.table.causes.assign(links);
  const tail::slow::Links found(c.table);
  return tail::load::fan_out(c.table, parents, found).value();
}

TEST(TailLoad, FanOutTellsSlowTogetherFromIndependent) {
  const model::FanOut independent = fan_out(false), together = fan_out(true);
  EXPECT_EQ(independent.requests, 4000u);
  EXPECT_DOUBLE_EQ(independent.calls, 4);
  EXPECT_NEAR(independent.observed / independent.independent, 1, 0.1);
  EXPECT_LT(together.observed / together.independent, 0.5);
  ASSERT_EQ(independent.slowest.size(), 2u);
  EXPECT_GT(independent.slowest[0].count, 2 * independent.slowest[1].count);  // three of four calls go there
}

TEST(TailLoad, RetriesAreOneCall) {
  TailCase c;
  for (int i = 0; i < 20; ++i) {
    auto& first = c.add("/stock", i * 1000 * kMs, {{Label::down_wait, 50 * kMs}});
    first.role = model::Role::client;
    first.attempt = i < 5 ? 1 : 0;
    const model::ExchangeId id = first.id;
    c.keep();
    if (i >= 5) continue;
    auto& second = c.add("/stock", i * 1000 * kMs + 60 * kMs, {{Label::down_wait, 10 * kMs}});
    second.role = model::Role::client;
    second.attempt = 2;
    second.attempt_of = id;
    c.keep();
  }
  const auto retries = tail::load::retries(c.table, all_rows(c.table)).value();
  EXPECT_EQ(retries.attempts, 25u);
  EXPECT_EQ(retries.calls, 20u);
  EXPECT_EQ(retries.retried, 5u);
  EXPECT_EQ(retries.call_mean.count(), 70 * kMs);
  EXPECT_EQ(retries.attempt_mean.count(), 30 * kMs);
}

TEST(TailLoad, ClosedLoopIsSaid) {
  for (const bool closed : {true, false}) {
    TailCase c;
    std::int64_t at = 0;
    for (int i = 0; i < 500; ++i) {
      auto& row = c.add("/a", at, {{Label::cpu, 2 * kMs}});
      row.id = {1, static_cast<std::uint32_t>(i + 1)};
      row.protocol = model::Protocol::http11;
      at += closed ? 2 * kMs + 20'000 : 12 * kMs;
      c.keep();
    }
    const model::Arrivals a = tail::load::arrivals(c.table);
    EXPECT_EQ(a.next, 499u);
    EXPECT_EQ(a.closed_loop, closed);
    model::Study study;
    study.arrivals = a;
    EXPECT_EQ(report::tail::arrivals_text(study).empty(), !closed);
  }
}

}  // namespace
}  // namespace tailcap::tests
