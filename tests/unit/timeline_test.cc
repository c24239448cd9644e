#include "analyze/timeline/timeline.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "analyze/timeline/thread_waits.h"

namespace tailcap::timeline {
namespace {

using namespace flow;
using formats::Event;
using formats::OffCpu;
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

Event wait(std::int64_t left, std::int64_t runnable, std::int64_t back, std::int16_t call, std::uint32_t state = 1,
           std::uint16_t missed = 0) {
  OffCpu off;
  off.left = time_from(left);
  off.runnable = time_from(runnable);
  off.syscall = call;
  off.state = state;
  off.missed = missed;
  return {time_from(back), {kTid, kTid}, off};
}

Request measured(Timeline& t, const Exchange& e) {
  Request row;
  row.role = e.role;
  row.tid = e.reader.tid;
  t.measure(e, row);
  return row;
}

std::vector<std::int64_t> phases(const Request& row) { return {row.phases.begin(), row.phases.end()}; }

std::int64_t spent(const Request& row, ThreadTime what) { return row.thread_time[static_cast<std::size_t>(what)]; }

TEST(Phases, ServerPartition) {
  Timeline t;
  const Request row = measured(t, served());
  EXPECT_TRUE(row.has_duration && row.has_phases);
  EXPECT_EQ(row.duration.count(), 1500);
  EXPECT_EQ(row.first_byte.count(), 1000);
  EXPECT_EQ(phases(row), (std::vector<std::int64_t>{200, 100, 0, 0, 700, 500}));
  EXPECT_EQ(row.taints, 0u);
}

TEST(Phases, ServerContinueSplitsReading) {
  Timeline t;
  Exchange e = served();
  e.request_head_done = time_from(1210);
  e.continue_done = time_from(1240);
  EXPECT_EQ(phases(measured(t, e)), (std::vector<std::int64_t>{200, 10 + 60, 30, 0, 700, 500}));
}

TEST(Phases, PipelinedWaitIsItsOwn) {
  Timeline t;
  Exchange e = served();
  e.predecessor_done = time_from(1900);
  EXPECT_EQ(phases(measured(t, e)), (std::vector<std::int64_t>{200, 100, 0, 600, 100, 500}));
}

TEST(Phases, EarlyResponseNeverNegative) {
  Timeline t;
  Exchange e = served();
  e.request.last_done = time_from(2400);  // the body was read after the response had begun
  EXPECT_EQ(phases(measured(t, e)), (std::vector<std::int64_t>{200, 800, 0, 0, 0, 500}));
}

TEST(Phases, ArrivalUnknownStartsAtTheRead) {
  Timeline t;
  Exchange e = served();
  e.request.first_arrived = formats::kNoTime;
  const Request row = measured(t, e);
  EXPECT_EQ(row.start, time_from(1200));
  EXPECT_EQ(row.taints, Taints{} | Taint::arrival_unknown);
  EXPECT_EQ(phases(row), (std::vector<std::int64_t>{0, 100, 0, 0, 700, 500}));
}

TEST(Phases, ClientPartitionAndSendStampedAfterTheAnswer) {
  Timeline t;
  Exchange e = served();
  e.role = Role::client;
  e.request = {formats::kNoTime, formats::kNoTime, time_from(1000), time_from(1100)};
  e.response = {time_from(1500), time_from(1700), time_from(1600), time_from(1800)};
  Request row = measured(t, e);
  EXPECT_EQ(phases(row), (std::vector<std::int64_t>{100, 0, 0, 400, 100, 200}));
  EXPECT_EQ(row.first_byte.count(), 500);
  e.request.first_done = e.request.last_done = time_from(1550);
  row = measured(t, e);
  EXPECT_EQ(row.start, time_from(1500));
  EXPECT_EQ(phases(row), (std::vector<std::int64_t>{0, 0, 0, 0, 100, 200}));
}

TEST(Phases, UnknownEndHasNoDuration) {
  Timeline t;
  for (const Outcome o :
       {Outcome::truncated, Outcome::reset, Outcome::in_flight, Outcome::unknown, Outcome::no_response}) {
    Exchange e = served();
    e.complete = false;
    e.outcome = o;
    EXPECT_FALSE(measured(t, e).has_duration);
  }
  Exchange e = served();
  e.complete = false;
  e.response_bytes = 10;  // its end is known although something else of it is not
  EXPECT_TRUE(measured(t, e).has_duration);
  e.request.last_done = formats::kNoTime;
  const Request row = measured(t, e);
  EXPECT_TRUE(row.has_duration);
  EXPECT_FALSE(row.has_phases);
}

TEST(Phases, SumIsExactForAnyInstants) {
  std::mt19937_64 random(1);
  Timeline t;
  for (int i = 0; i < 20000; ++i) {
    Exchange e = served();
    e.role = i % 2 ? Role::server : Role::client;
    for (formats::Time* at :
         {&e.request.first_arrived, &e.request.first_done, &e.request.last_done, &e.request_head_done, &e.continue_done,
          &e.predecessor_done, &e.response.first_arrived, &e.response.first_done, &e.response.last_done})
      *at = time_from(static_cast<std::int64_t>(random() % 100));
    const Request row = measured(t, e);
    if (!row.has_phases) continue;
    ASSERT_EQ(std::accumulate(row.phases.begin(), row.phases.end(), std::int64_t{0}), row.duration.count());
    for (const auto p : row.phases) ASSERT_GE(p, 0);
  }
  EXPECT_EQ(t.findings()[Finding::partition_mismatch], 0u);
}

TEST(ThreadTime, ClassifiesAndPartitions) {
  Timeline t;
  t.push(wait(100, 150, 160, 232));
  t.push(wait(900, 1210, 1220, 232));     // epoll until 1210: 210 in the window, 10 in the queue
  t.push(wait(1300, 1400, 1430, 202));    // futex
  t.push(wait(1500, 1500, 1550, -1, 0));  // preempted
  t.push(wait(1600, 1700, 1700, 17, 2));  // pread64, uninterruptible
  t.push(wait(1710, 1720, 1720, -1, 2));  // page fault
  t.push(wait(1730, 1760, 1760, 0));      // read of something
  t.push(wait(1770, 1775, 1775, 230));    // sleep
  t.push(wait(1780, 0, 1790, 45));        // wake-up not seen
  const Request row = measured(t, served());
  ASSERT_TRUE(row.has_thread_time);
  EXPECT_EQ(spent(row, ThreadTime::poll), 210);
  EXPECT_EQ(spent(row, ThreadTime::runnable), 10 + 30 + 50);
  EXPECT_EQ(spent(row, ThreadTime::lock), 100);
  EXPECT_EQ(spent(row, ThreadTime::disk), 100);
  EXPECT_EQ(spent(row, ThreadTime::page_fault), 10);
  EXPECT_EQ(spent(row, ThreadTime::other), 30);
  EXPECT_EQ(spent(row, ThreadTime::sleep), 5);
  EXPECT_EQ(spent(row, ThreadTime::unknown), 10);
  EXPECT_EQ(spent(row, ThreadTime::on_cpu), 1500 - 210 - 90 - 100 - 100 - 10 - 30 - 5 - 10);
  const auto stretches = t.stretches(row);
  std::int64_t sum = 0;
  for (const auto& s : stretches) sum += (s.to - s.from).count();
  EXPECT_EQ(sum, 1500);
  EXPECT_EQ(stretches.front().what, ThreadTime::poll);
}

TEST(ThreadTime, UnknownWithoutEvidence) {
  Timeline t;
  EXPECT_FALSE(measured(t, served()).has_thread_time);  // never seen
  Exchange e = served();
  e.writer.tid = 8;
  t.push(wait(100, 150, 160, 232));
  EXPECT_FALSE(measured(t, e).has_thread_time);  // two threads
  Timeline late;
  late.push(wait(1400, 1450, 1460, 202));  // first seen in the middle
  const Request row = measured(late, served());
  ASSERT_TRUE(row.has_thread_time);
  EXPECT_EQ(spent(row, ThreadTime::unknown), 400);
  EXPECT_EQ(spent(row, ThreadTime::lock), 50);
}

TEST(ThreadTime, BornInTheWindowRunsFromItsFirstCall) {
  Timeline t;
  t.push({time_from(50), {9, 9}, OffCpu{.left = time_from(40), .runnable = time_from(45)}});  // waits are recorded here
  t.push({time_from(1050), {kTid, kTid}, formats::TaskStart{}});
  const Request row = measured(t, served());
  ASSERT_TRUE(row.has_thread_time);
  EXPECT_EQ(spent(row, ThreadTime::unknown), 200);
  EXPECT_EQ(spent(row, ThreadTime::on_cpu), 1300);
}

TEST(ThreadTime, SettlesLateWaitsAndLosses) {
  Timeline t;
  t.push(wait(100, 150, 160, 232));
  RequestTable table;
  table.rows.push_back(measured(t, served()));
  EXPECT_EQ(spent(table.rows[0], ThreadTime::on_cpu), 1500);
  t.push(wait(2400, 2600, 2700, 202));        // came back after the end
  t.push(wait(3000, 3100, 3100, 202, 1, 2));  // two lost between 2700 and 3000
  Exchange e = served();
  e.request.first_arrived = e.request.first_done = time_from(2650);
  e.request.last_done = time_from(2900);
  e.response.first_done = time_from(2950);
  e.response.last_done = time_from(2960);
  table.rows.push_back(measured(t, e));
  t.settle(table);
  EXPECT_EQ(spent(table.rows[0], ThreadTime::lock), 100);
  EXPECT_EQ(spent(table.rows[0], ThreadTime::on_cpu), 1400);
  EXPECT_FALSE(has(table.rows[0].taints, Taint::waits_lost));
  EXPECT_EQ(spent(table.rows[1], ThreadTime::runnable), 50);
  EXPECT_EQ(spent(table.rows[1], ThreadTime::unknown), 260);
  EXPECT_TRUE(has(table.rows[1].taints, Taint::waits_lost));
}

TEST(ThreadTime, LossNoticedAfterMeasuringIsTakenBack) {
  Timeline t;
  t.push(wait(100, 150, 160, 232));
  RequestTable table;
  table.rows.push_back(measured(t, served()));
  t.push(wait(5000, 5100, 5100, 202, 1, 1));  // lost one between 160 and 5000: the whole window is in doubt
  t.settle(table);
  EXPECT_EQ(spent(table.rows[0], ThreadTime::unknown), 1500);
  EXPECT_EQ(spent(table.rows[0], ThreadTime::on_cpu), 0);
}

TEST(ThreadTime, LossesThatNobodyCountedRefuse) {
  Timeline t;
  t.push(wait(100, 150, 160, 232));
  RequestTable table;
  table.rows.push_back(measured(t, served()));
  t.push({time_from(1700),
          {},
          formats::Loss{.since = time_from(1600), .cause = formats::LossCause::queue_full, .kind = 8, .count = 3}});
  t.settle(table);
  EXPECT_FALSE(table.rows[0].has_thread_time);
  EXPECT_TRUE(has(table.rows[0].taints, Taint::waits_lost));
}

// Against the plain sum, over random waits (some contradictory), windows and forgetting.
TEST(ThreadWaits, SumsAgreeWithAddingUp) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 20; ++round) {
    ThreadWaits waits;
    std::vector<Wait> plain;
    std::int64_t now = 10;
    for (int i = 0; i < 1500; ++i) {
      Wait w;
      w.left = now + static_cast<std::int64_t>(random() % 10) - (random() % 50 == 0 ? 40 : 0);
      w.runnable = w.left + static_cast<std::int64_t>(random() % 20);
      w.back = w.runnable + static_cast<std::int64_t>(random() % 20);
      w.what = static_cast<std::uint8_t>(random() % (kThreadTimes + 1));
      const Wait kept = waits.add(w);
      if (kept.left < kept.back) plain.push_back(kept);
      now = std::max(now, w.back);
    }
    if (round % 2) waits.forget_before(now / 3);
    if (round % 3 == 0) waits.forget_half();
    for (int i = 0; i < 300; ++i) {
      std::int64_t from =
          waits.forgotten_until() + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(now));
      std::int64_t to = from + static_cast<std::int64_t>(random() % (i % 2 ? 200 : static_cast<std::uint64_t>(now)));
      Sums expected{}, sums{};
      for (const Wait& w : plain) add_overlap(w, from, to, expected);
      waits.add_sums(from, to, sums);
      ASSERT_EQ(sums, expected);
      std::int64_t total = 0;
      for (const auto s : sums) total += s;
      ASSERT_LE(total, to - from);
    }
  }
}

}  // namespace
}  // namespace tailcap::timeline
