#include "analyze/timeline/timeline.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace tailcap::timeline {
namespace {

using namespace model;
using formats::time_from;

constexpr std::uint32_t kTid = 7;

Exchange served() {
  Exchange e;
  e.id = {1, 1};
  e.role = Role::server;
  e.outcome = Outcome::ok;
  e.complete = true;
  e.request = {time_from(1000), time_from(1100), time_from(1200), time_from(1300)};
  e.request_head_done = time_from(1250);
  e.response.first_done = time_from(2000);
  e.response.last_done = time_from(2500);
  e.reader = e.writer = {kTid, kTid};
  return e;
}

Request measured(Findings& found, const Exchange& e) {
  Request row;
  row.role = e.role;
  row.tid = e.reader.tid;
  measure(e, row, found);
  return row;
}

std::vector<std::int64_t> phases(const Request& row) { return {row.phases.begin(), row.phases.end()}; }

TEST(Phases, ServerPartition) {
  Findings found;
  const Request row = measured(found, served());
  EXPECT_TRUE(row.has_duration && row.has_phases);
  EXPECT_EQ(row.duration.count(), 1500);
  EXPECT_EQ(row.first_byte.count(), 1000);
  EXPECT_EQ(phases(row), (std::vector<std::int64_t>{200, 100, 0, 0, 700, 500}));
  EXPECT_EQ(row.taints, 0u);
}

TEST(Phases, OneThatBrokeOffLastedAtLeastUntilThen) {
  Findings found;
  Exchange e = served();
  e.complete = false;
  e.outcome = Outcome::truncated;
  e.broken_at = time_from(4000);
  Request row = measured(found, e);
  EXPECT_FALSE(row.has_duration);
  EXPECT_EQ(row.at_least, 3000);
  e.reset.emplace();
  e.reset->at = time_from(3500);
  EXPECT_EQ(measured(found, e).at_least, 2500);
  e.outcome = Outcome::in_flight;
  EXPECT_EQ(measured(found, e).at_least, -1);
}

TEST(Phases, ServerContinueSplitsReading) {
  Findings found;
  Exchange e = served();
  e.request_head_done = time_from(1210);
  e.continue_done = time_from(1240);
  EXPECT_EQ(phases(measured(found, e)), (std::vector<std::int64_t>{200, 10 + 60, 30, 0, 700, 500}));
}

TEST(Phases, PipelinedWaitIsItsOwn) {
  Findings found;
  Exchange e = served();
  e.predecessor_done = time_from(1900);
  EXPECT_EQ(phases(measured(found, e)), (std::vector<std::int64_t>{200, 100, 0, 600, 100, 500}));
}

TEST(Phases, EarlyResponseNeverNegative) {
  Findings found;
  Exchange e = served();
  e.request.last_done = time_from(2400);  // the body was read after the response had begun
  EXPECT_EQ(phases(measured(found, e)), (std::vector<std::int64_t>{200, 800, 0, 0, 0, 500}));
}

TEST(Phases, ArrivalUnknownStartsAtTheRead) {
  Findings found;
  Exchange e = served();
  e.request.first_arrived = formats::kNoTime;
  const Request row = measured(found, e);
  EXPECT_EQ(row.start, time_from(1200));
  EXPECT_EQ(row.taints, Taints{} | Taint::arrival_unknown);
  EXPECT_EQ(phases(row), (std::vector<std::int64_t>{0, 100, 0, 0, 700, 500}));
}

TEST(Phases, ClientPartitionAndSendStampedAfterTheAnswer) {
  Findings found;
  Exchange e = served();
  e.role = Role::client;
  e.request = {formats::kNoTime, formats::kNoTime, time_from(1000), time_from(1100)};
  e.response = {time_from(1500), time_from(1700), time_from(1600), time_from(1800)};
  Request row = measured(found, e);
  EXPECT_EQ(phases(row), (std::vector<std::int64_t>{100, 0, 0, 400, 100, 200}));
  EXPECT_EQ(row.first_byte.count(), 500);
  e.request.first_done = e.request.last_done = time_from(1550);
  row = measured(found, e);
  EXPECT_EQ(row.start, time_from(1500));
  EXPECT_EQ(phases(row), (std::vector<std::int64_t>{0, 0, 0, 0, 100, 200}));
}

TEST(Phases, UnknownEndHasNoDuration) {
  Findings found;
  for (const Outcome o :
       {Outcome::truncated, Outcome::reset, Outcome::in_flight, Outcome::unknown, Outcome::no_response}) {
    Exchange e = served();
    e.complete = false;
    e.outcome = o;
    EXPECT_FALSE(measured(found, e).has_duration);
  }
  Exchange e = served();
  e.complete = false;
  e.response_bytes = 10;  // its end is known although another part is unknown
  EXPECT_TRUE(measured(found, e).has_duration);
  e.request.last_done = formats::kNoTime;
  const Request row = measured(found, e);
  EXPECT_TRUE(row.has_duration);
  EXPECT_FALSE(row.has_phases);
}

TEST(Phases, SumIsExactForAnyInstants) {
  std::mt19937_64 random(1);
  Findings found;
  for (int i = 0; i < 20000; ++i) {
    Exchange e = served();
    e.role = i % 2 ? Role::server : Role::client;
    for (formats::Time* at :
         {&e.request.first_arrived, &e.request.first_done, &e.request.last_done, &e.request_head_done, &e.continue_done,
          &e.predecessor_done, &e.response.first_arrived, &e.response.first_done, &e.response.last_done})
      *at = time_from(static_cast<std::int64_t>(random() % 100));
    const Request row = measured(found, e);
    if (!row.has_phases) continue;
    ASSERT_EQ(std::accumulate(row.phases.begin(), row.phases.end(), std::int64_t{0}), row.duration.count());
    for (const auto p : row.phases) ASSERT_GE(p, 0);
  }
  EXPECT_EQ(found[Finding::partition_mismatch], 0u);
}

}  // namespace
}  // namespace tailcap::timeline
