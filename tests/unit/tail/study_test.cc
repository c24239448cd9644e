#include "analyze/tail/study.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "analyze/model/wire/trace_context.h"
#include "analyze/tail/quality.h"
#include "analyze/tail/rows/routes.h"
#include "analyze/tail/rows/rows.h"
#include "analyze/tail/troubles.h"
#include "formats/event.h"

namespace tailcap::tail {
namespace {

using namespace model;
using formats::time_from;

constexpr std::int64_t kMs = 1'000'000;

struct Case {
  RequestTable table;
  Study study;
  std::uint32_t next = 0;

  void add(std::string_view path, std::int64_t start_ms, std::int64_t ns, Outcome outcome = Outcome::ok,
           Taints taints = 0) {
    Request row;
    row.id = {1, ++next};
    row.start = time_from(1 + start_ms * kMs);
    row.outcome = outcome;
    row.status = outcome == Outcome::ok ? 200 : outcome == Outcome::server_error ? 500 : 404;
    row.method = table.texts.intern("GET");
    row.path = table.texts.intern(path);
    row.complete = row.has_duration = row.has_phases = outcome <= Outcome::server_error;
    if (row.has_duration) {
      row.duration = Duration{ns};
      row.first_byte = Duration{ns / 2};
      row.phases[0] = ns / 4;
      row.phases[4] = ns - ns / 4;
    }
    row.response_bytes = 100;
    row.taints = taints;
    table.rows.push_back(row);
  }
  void run(std::int64_t end_ms) {
    study.begin = time_from(1);
    study.end = time_from(1 + end_ms * kMs);
    assign_routes(table, {}, 200, study.quality.findings);
    sort_rows(table);
    count_requests(table, study.quality);
    study_requests(table, study);
  }
};

TEST(Study, CountsEverySortOfEnd) {
  Case c;
  for (int i = 0; i < 100; ++i) c.add("/a/" + std::to_string(i), i, (i + 1) * kMs);
  c.add("/a/1", 3, kMs, Outcome::server_error);
  c.add("/a/1", 4, kMs, Outcome::client_error);
  c.add("/a/1", 5, 0, Outcome::truncated);
  c.add("/a/1", 6, 0, Outcome::reset);
  c.add("/a/1", 7, 0, Outcome::no_response);
  c.add("/a/1", 8, 0, Outcome::in_flight);
  c.add("/a/1", 9, 0, Outcome::unknown);
  c.add("/b", 2, 5'000 * kMs, Outcome::ok, static_cast<Taints>(Taint::bytes_lost));
  c.run(1000);
  ASSERT_EQ(c.study.routes.size(), 2u);
  EXPECT_EQ(c.study.routes[0].route, "/a/{}");  // 5052 ms in total against 5000 ms
  const RouteStudy& a = c.study.routes[0];
  EXPECT_EQ(a.method, "GET");
  EXPECT_EQ(a.count, 102u);
  EXPECT_EQ(a.incomplete, 5u);
  EXPECT_EQ(a.client_errors, 1u);
  EXPECT_EQ(a.server_errors, 1u);
  EXPECT_EQ(a.other_failures, 3u);
  EXPECT_EQ(a.latency_tainted, 1u);
  EXPECT_DOUBLE_EQ(a.per_second, 102);
  EXPECT_EQ(a.response_bytes, 107u * 100);
  EXPECT_EQ(a.request_bytes_unknown, 107u);
  const RouteStudy& b = c.study.routes[1];
  EXPECT_EQ(b.count, 1u);
  EXPECT_EQ(b.tainted, 1u);
  EXPECT_EQ(b.latency_tainted, 1u);
  EXPECT_EQ(b.latency[0].support, Support::refused);
  EXPECT_EQ(c.study.quality.requests, 108u);
  EXPECT_EQ(c.study.quality.complete, 103u);
  EXPECT_EQ(c.study.quality.unknown, 1u);
  EXPECT_EQ(c.study.quality.incomplete, 4u);
  EXPECT_EQ(c.study.quality.tainted, 1u);
  // The slowest of all: the doubtful one has a duration, so it is shown.
  EXPECT_EQ(c.table.texts[c.table.rows[c.study.slowest[0]].path], "/b");
  EXPECT_EQ(c.table.rows[a.slowest[0]].duration.count(), 100 * kMs);
}

TEST(Study, BandsPartitionTheRequestsAndTheirMean) {
  Case c;
  for (int i = 0; i < 1000; ++i) c.add("/x", i, (i + 1) * kMs);
  c.run(1000);
  const RouteStudy& r = c.study.routes[0];
  ASSERT_EQ(r.bands.size(), 4u);
  EXPECT_EQ(r.bands[0].count, 500u);
  EXPECT_EQ(r.bands[1].count, 400u);
  EXPECT_EQ(r.bands[2].count, 90u);
  EXPECT_EQ(r.bands[3].count, 10u);
  for (const Band& band : r.bands)
    EXPECT_NEAR(std::accumulate(band.phases.begin(), band.phases.end(), 0.0), static_cast<double>(band.mean.count()),
                1);
}

TEST(Study, CurvesAreBoundedMonotoneAndExactAtTheEnds) {
  Case c;
  std::mt19937_64 random(6);
  std::lognormal_distribution<double> lognormal(16, 1);
  for (int i = 0; i < 30'000; ++i) c.add("/x", i, static_cast<std::int64_t>(lognormal(random)));
  c.run(30'000);
  const RouteStudy& r = c.study.routes[0];
  EXPECT_LE(r.ccdf.size(), 400u);
  EXPECT_GT(r.ccdf.size(), 100u);
  for (std::size_t i = 1; i < r.ccdf.size(); ++i) {
    EXPECT_LT(r.ccdf[i - 1].at, r.ccdf[i].at);
    EXPECT_GT(r.ccdf[i - 1].share_above, r.ccdf[i].share_above);
  }
  EXPECT_EQ(r.ccdf.back().share_above, 0);
  EXPECT_EQ(r.ccdf.back().at, c.table.rows[r.slowest[0]].duration);
  EXPECT_LE(r.over_time.size(), 241u);
  std::uint64_t n = 0;
  for (const auto& p : r.over_time) {
    n += p.count;
    EXPECT_LE(p.p50, p.p99);
    EXPECT_LE(p.p99, p.max);
  }
  EXPECT_EQ(n, 30'000u);
}

TEST(Study, SameWhateverTheOrderOfRows) {
  const auto studied = [](std::uint64_t seed) {
    Case c;
    std::vector<int> order(500);
    std::iota(order.begin(), order.end(), 0);
    for (const int i : order) c.add("/r" + std::to_string(i % 7), i, (i * 37 % 101 + 1) * kMs);
    std::mt19937_64 random(seed);
    std::vector<std::uint32_t> shuffled(c.table.rows.size());
    std::iota(shuffled.begin(), shuffled.end(), 0u);
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    c.table.rows.permute(shuffled);
    c.run(500);
    std::vector<std::string> out;
    for (const auto& r : c.study.routes)
      out.push_back(r.route + std::to_string(r.count) + std::to_string(r.latency[0].value.count()));
    for (const auto i : c.study.slowest) out.push_back(std::to_string(c.table.rows[i].id.index));
    return out;
  };
  EXPECT_EQ(studied(1), studied(2));
}

TEST(Rows, SortingReportsWhereEachWas) {
  Case c;
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) c.add("/x", static_cast<std::int64_t>(random() % 300), kMs);
  const std::vector<Request> before(c.table.rows.begin(), c.table.rows.end());
  const auto from = sort_rows(c.table);
  for (std::size_t i = 0; i < from.size(); ++i) {
    ASSERT_EQ(c.table.rows[i].id, before[from[i]].id);
    if (i > 0) {
      ASSERT_LE(c.table.rows[i - 1].start, c.table.rows[i].start);
    }
  }
}

TEST(Rows, TraceparentIsValidOrAbsent) {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_TRUE(model::valid_traceparent(good));
  EXPECT_TRUE(model::valid_traceparent("01" + good.substr(2) + "-more"));
  EXPECT_FALSE(model::valid_traceparent(good + "-more"));
  EXPECT_FALSE(model::valid_traceparent(good.substr(0, 54)));
  EXPECT_FALSE(model::valid_traceparent("ff" + good.substr(2)));
  EXPECT_FALSE(model::valid_traceparent("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"));
  EXPECT_FALSE(model::valid_traceparent("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
  EXPECT_FALSE(model::valid_traceparent("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));
}

TEST(Quality, TaintsWhatOverlapsALossOrAClockStep) {
  QualityFacts facts({});
  facts.push({time_from(1), {}, formats::ClockSnapshot{.realtime = 1'000}});
  facts.push({time_from(1 + 50 * kMs), {}, formats::ClockSnapshot{.realtime = 1'000 + 50 * kMs}});
  facts.push({time_from(1 + 60 * kMs), {}, formats::ClockSnapshot{.realtime = 1'000 + 5'060 * kMs}});
  facts.push({time_from(1 + 20 * kMs), {}, formats::Loss{.since = time_from(1 + 10 * kMs), .kind = 1, .count = 5}});
  facts.push({time_from(1 + 40 * kMs), {}, formats::Loss{.since = time_from(1 + 30 * kMs), .kind = 8, .count = 2}});
  facts.push({time_from(1 + 80 * kMs), {}, formats::Damage{.since = time_from(1 + 70 * kMs), .bytes = 9}});
  facts.push({time_from(1 + 100 * kMs), {}, formats::RecorderCost{}});
  Case c;
  c.add("/before", 0, 9 * kMs);
  c.add("/into", 5, 6 * kMs, Outcome::truncated);
  c.add("/whole", 5, 6 * kMs);
  c.add("/waits", 32, 2 * kMs);
  c.add("/step", 55, kMs);
  c.add("/damage", 75, kMs, Outcome::unknown);
  c.add("/open", 85, 0, Outcome::in_flight);
  facts.taint(c.table);
  EXPECT_EQ(c.table.rows[0].taints, 0u);
  EXPECT_EQ(c.table.rows[1].taints, Taints{} | Taint::events_lost | Taint::clock_step);  // its duration is unknown
  EXPECT_EQ(c.table.rows[2].taints, 0u);                                                 // every byte was captured
  EXPECT_EQ(c.table.rows[3].taints, 0u);
  EXPECT_EQ(c.table.rows[4].taints, static_cast<Taints>(Taint::clock_step));
  EXPECT_EQ(c.table.rows[5].taints, static_cast<Taints>(Taint::events_lost));
  EXPECT_EQ(c.table.rows[6].taints, 0u);
  Quality q;
  facts.fill(q);
  EXPECT_EQ(q.events, 6u);
  EXPECT_EQ(q.lost, 7u);
  EXPECT_TRUE(q.clock_stepped);
  ASSERT_EQ(q.losses.size(), 3u);
  EXPECT_EQ(q.losses[0].what, "ring full: receive");
  EXPECT_EQ(q.losses[2].what, "damaged block");
  EXPECT_EQ(q.duration.count(), 100 * kMs);
}

TEST(Troubles, NamesPeerAndCause) {
  Troubles failures;
  formats::SocketInfo info{.socket = 5, .family = formats::Family::inet, .state = formats::TcpState::syn_sent};
  info.remote.bytes = {10, 0, 0, 1};
  info.remote.port = 80;
  for (int i = 0; i < 2; ++i) {
    failures.push({time_from(1), {}, info});
    failures.push(
        {time_from(2),
         {},
         formats::StateChange{
             .socket = 5, .from = formats::TcpState::syn_sent, .to = formats::TcpState::close, .error = 111}});
  }
  failures.push({time_from(3), {}, info});
  failures.push(
      {time_from(4),
       {},
       formats::StateChange{.socket = 5, .from = formats::TcpState::syn_sent, .to = formats::TcpState::established}});
  ASSERT_EQ(failures.connections().size(), 1u);
  EXPECT_EQ(failures.connections()[0].peer, "10.0.0.1:80");
  EXPECT_EQ(failures.connections()[0].cause, "refused");
  EXPECT_EQ(failures.connections()[0].count, 2u);
}

}  // namespace
}  // namespace tailcap::tail
