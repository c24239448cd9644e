#include "analyze/views/logs/log_join.h"

#include <string>

namespace tailcap::views {
namespace {

using model::JoinedLine;
using model::LogEvidence;
using model::LoggedLine;
using model::LogMiss;
using model::LogTime;
using model::Role;
using namespace std::chrono_literals;

constexpr std::int64_t kOffset = 1'764'331'200'000'000'000;
const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736", kOther = "5bf92f3577b34da6a3ce929d0e0e4736";

formats::Time at(std::chrono::nanoseconds ns) { return formats::time_from(1'000'000'000) + ns; }

struct Known {
  std::uint32_t connection = 1, pid = 10;
  std::chrono::nanoseconds start = 0ms, duration = 20ms;
  Role role = Role::server;
  std::string trace = {}, request_id = {}, comm = "shop";
  model::ExchangeId peer{};
  bool in_flight = false;
};

class LogJoinTest : public ::testing::Test {
 protected:
  LogJoinTest() { clock_.add(at(0ns), kOffset, {}); }

  void add(const Known& k) {
    model::Request row;
    row.id = {k.connection, 1};
    row.peer = k.peer;
    row.start = at(k.start);
    row.has_duration = !k.in_flight;
    row.duration = k.duration;
    row.outcome = k.in_flight ? model::Outcome::in_flight : model::Outcome::ok;
    row.role = k.role;
    row.pid = k.pid;
    row.comm = table_.texts.intern(k.comm);
    if (!k.trace.empty()) row.traceparent = table_.texts.intern("00-" + k.trace + "-00f067aa0ba902b7-01");
    if (!k.request_id.empty()) row.request_id = table_.texts.intern(k.request_id);
    table_.rows.push_back(row);
  }
  JoinedLine join(LoggedLine line, std::string_view service = {}) {
    return LogJoin(table_, clock_, at(0ns), at(10s), {}).join(std::move(line), service);
  }
  static LoggedLine line(std::chrono::nanoseconds when, std::uint32_t pid, std::int64_t precision = 1000) {
    LoggedLine out;
    out.time = {LogTime::State::known, kOffset + when.count(), precision, 0};
    out.pid = pid;
    out.text = "x";
    return out;
  }
  static LoggedLine of_trace(LoggedLine line, const std::string& trace) {
    line.trace_id = trace;
    return line;
  }

  void expect(const JoinedLine& joined, LogEvidence how, std::initializer_list<std::uint32_t> connections) {
    EXPECT_EQ(joined.evidence, how);
    EXPECT_EQ(joined.count, connections.size());
    std::vector<std::uint32_t> found;
    for (const model::ExchangeId id : joined.requests) found.push_back(id.connection);
    EXPECT_EQ(found, std::vector<std::uint32_t>(connections));
    EXPECT_EQ(joined.miss, LogMiss::none);
  }
  void expect(const JoinedLine& joined, LogMiss why) {
    EXPECT_EQ(joined.miss, why);
    EXPECT_EQ(joined.count, 0u);
    EXPECT_TRUE(joined.requests.empty());
  }

  model::RequestTable table_;
  model::WallClock clock_;
};

TEST_F(LogJoinTest, ByProcessOnlyWhereOneIsUnderWay) {
  add({.connection = 1, .start = 0ms});
  add({.connection = 2, .start = 100ms});
  add({.connection = 3, .start = 110ms});
  add({.connection = 4, .pid = 11, .start = 5ms});
  expect(join(line(5ms, 10)), LogEvidence::process, {1});
  expect(join(line(25ms, 10)), LogEvidence::process, {1});  // after its last byte
  expect(join(line(40ms, 10)), LogMiss::none_under_way);
  expect(join(line(115ms, 10)), LogEvidence::process, {2, 3});
  expect(join(line(5ms, 12)), LogMiss::unknown_process);
  expect(join(line(5ms, 0)), LogMiss::no_process);
  expect(join(line(20s, 10)), LogMiss::outside);
  const JoinedLine coarse = join(line(0ms, 10, 1'000'000'000));
  expect(coarse, LogEvidence::process, {1, 2, 3});
  EXPECT_EQ(coarse.within, 1s);
  EXPECT_EQ(coarse.at, at(0ms));
}

TEST_F(LogJoinTest, ARequestWithoutAnEndIsUnderWayForEver) {
  add({.connection = 1, .start = 0ms, .in_flight = true});
  add({.connection = 2, .start = 5s});
  expect(join(line(1s, 10)), LogEvidence::process, {1});
  expect(join(line(5005ms, 10)), LogEvidence::process, {1, 2});
}

TEST_F(LogJoinTest, CallsCountOnlyForProcessesThatServeNothing) {
  add({.connection = 1, .start = 0ms, .duration = 50ms});
  add({.connection = 2, .start = 10ms, .role = Role::client});
  add({.connection = 3, .pid = 11, .start = 10ms, .role = Role::client});
  expect(join(line(15ms, 10)), LogEvidence::process, {1});
  expect(join(line(15ms, 11)), LogEvidence::process, {3});
}

TEST_F(LogJoinTest, ATraceIsNarrowedByProcessAndThenByTime) {
  add({.connection = 1, .pid = 10, .trace = kTrace});
  add({.connection = 2, .pid = 10, .role = Role::client, .trace = kTrace, .peer = {3, 1}});
  add({.connection = 3, .pid = 20, .trace = kTrace, .comm = "stock", .peer = {2, 1}});
  add({.connection = 4, .pid = 20, .start = 500ms, .trace = kTrace, .comm = "stock"});
  expect(join(of_trace(line(5s, 10), kTrace)), LogEvidence::trace_id, {1});
  expect(join(of_trace(line(505ms, 20), kTrace)), LogEvidence::trace_id, {4});
  expect(join(of_trace(line(5s, 20), kTrace)), LogEvidence::trace_id, {3, 4});
  LoggedLine of_host = of_trace(line(5ms, 30), kTrace);
  of_host.pid_of_host = true;
  expect(join(of_host), LogMiss::other_process);
  // Without a process, both ends of one connection are one request.
  expect(join(of_trace(line(505ms, 0), kTrace)), LogEvidence::trace_id, {4});
  expect(join(of_trace(line(5ms, 0), kTrace)), LogEvidence::trace_id, {1, 3});
}

TEST_F(LogJoinTest, AnIdThatIsNoRequestsIsNoReasonToGuess) {
  add({.connection = 1, .trace = kTrace, .request_id = "request-1"});
  add({.connection = 2, .start = 100ms});
  expect(join(of_trace(line(5ms, 10), kOther)), LogMiss::other_id);
  expect(join(of_trace(line(105ms, 10), kOther)), LogEvidence::process, {2});
  LoggedLine named = line(5ms, 0);
  named.request_id = "request-1";
  expect(join(named), LogEvidence::request_id, {1});
  named.time.at += 120'000'000'000;
  expect(join(named), LogMiss::other_time);
  named.time = {};
  expect(join(named), LogEvidence::request_id, {1});
  named.contradicts = true;
  expect(join(named), LogMiss::contradicts);
}

TEST_F(LogJoinTest, TimesThatAreNotKnownJoinNothing) {
  add({.connection = 1});
  LoggedLine none = line(5ms, 10);
  none.time.state = LogTime::State::none;
  expect(join(none), LogMiss::no_time);
  none.time.state = LogTime::State::without_zone;
  const JoinedLine joined = join(none);
  expect(joined, LogMiss::no_zone);
  EXPECT_FALSE(formats::known(joined.at));
}

TEST_F(LogJoinTest, TheServiceThatAUserNamesCountsForItsProcesses) {
  add({.connection = 1, .pid = 10, .comm = "shop"});
  add({.connection = 2, .pid = 11, .start = 5ms, .comm = "shop"});
  add({.connection = 3, .pid = 20, .comm = "stock"});
  expect(join(line(2ms, 0), "stock"), LogEvidence::process, {3});
  expect(join(line(7ms, 0), "shop"), LogEvidence::process, {1, 2});
  expect(join(line(7ms, 11), "shop"), LogEvidence::process, {2});
  expect(join(line(7ms, 11), "stock"), LogEvidence::process, {3});  // its number is that of another process
  expect(join(line(7ms, 0), "cart"), LogMiss::unknown_process);
}

TEST_F(LogJoinTest, WhatWasReadLaterWasWrittenBefore) {
  add({.connection = 1});
  add({.connection = 2, .start = 80ms});
  LoggedLine late = line(85ms, 10);
  late.time.late = 100'000'000;
  const JoinedLine joined = join(late);
  expect(joined, LogEvidence::process, {1, 2});
  EXPECT_EQ(joined.at, at(-15ms));
  EXPECT_EQ(joined.within, 100'001us);
}

}  // namespace
}  // namespace tailcap::views
