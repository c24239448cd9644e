#include "analyze/pipeline/pipeline.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <numeric>
#include <set>

#include "analyze/report/json/request_json.h"
#include "analyze/report/study/report_json.h"
#include "formats/file/writer.h"

namespace tailcap::pipeline {
namespace {

using namespace std::chrono_literals;
using formats::Direction;
using formats::Event;
using formats::time_from;

constexpr std::int64_t kStart = 1'000'000'000'000;
constexpr std::int64_t kRealtime = 1'700'000'000'000'000'000;
constexpr formats::Thread kServer{10, 10}, kClient{20, 20};

// Both ends of connections on one host, handmade: request and response in one piece each.
struct Capture {
  std::vector<Event> events;
  std::deque<std::string> texts;
  std::int64_t now = kStart;
  std::uint32_t at[2][2] = {};  // [connection][direction of the server]

  Capture() {
    add(0, kServer, formats::ClockSnapshot{kRealtime, kStart, {}});
    add(0, kServer, formats::TaskInfo{1, "server", "server --fast", "/bin/server", {}});
    add(0, kClient, formats::TaskInfo{1, "client", "client", "/bin/client", {}});
    for (std::uint64_t c = 0; c < 2; ++c) {
      add(0, kServer, info(100 + c, 80, static_cast<std::uint16_t>(5000 + c), formats::Origin::accepted));
      add(0, kClient, info(200 + c, static_cast<std::uint16_t>(5000 + c), 80, formats::Origin::connected));
    }
  }
  static formats::SocketInfo info(formats::SocketId socket, std::uint16_t local, std::uint16_t remote,
                                  formats::Origin origin) {
    formats::SocketInfo i;
    i.socket = socket;
    i.family = formats::Family::inet;
    i.type = formats::SocketType::stream;
    i.origin = origin;
    i.state = formats::TcpState::established;
    i.local.bytes = i.remote.bytes = {127, 0, 0, 1};
    i.local.port = local;
    i.remote.port = remote;
    i.next_out = i.next_in = 1;
    return i;
  }
  void add(std::int64_t us, formats::Thread thread, formats::Body body) {
    events.push_back({time_from(now + us * 1000), thread, std::move(body)});
  }
  void io(std::int64_t us, formats::Thread thread, formats::SocketId socket, Direction direction,
          std::uint32_t position, std::string_view text) {
    formats::Io io;
    io.socket = socket;
    io.direction = direction;
    io.position = position;
    io.length = static_cast<std::uint32_t>(text.size());
    io.payload = formats::Payload::captured;
    io.head = text;
    add(us, thread, io);
  }
  // Takes 1 ms on the server, off-CPU for 0.6 ms of it.
  void exchange(std::size_t c, std::string_view path, int status) {
    const auto& request = texts.emplace_back("GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nX-Request-Id: " +
                                             std::to_string(texts.size()) + "\r\n\r\n");
    const auto& response =
        texts.emplace_back("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 2\r\n\r\nok");
    const formats::SocketId server = 100 + c, client = 200 + c;
    const std::uint32_t in = 1 + at[c][0], out = 1 + at[c][1];
    at[c][0] += static_cast<std::uint32_t>(request.size());
    at[c][1] += static_cast<std::uint32_t>(response.size());
    add(10, {}, formats::Arrival{server, in, static_cast<std::uint32_t>(request.size()), 0});
    io(20, kClient, client, Direction::out, in, request);
    formats::OffCpu before{time_from(now - 100'000), time_from(now + 15'000), 0, 1, 232};
    add(30, kServer, before);
    io(40, kServer, server, Direction::in, in, request);
    formats::OffCpu sleep{time_from(now + 100'000), time_from(now + 700'000), 0, 1, 230};
    add(710, kServer, sleep);
    add(1005, {}, formats::Arrival{client, out, static_cast<std::uint32_t>(response.size()), 0});
    io(1010, kServer, server, Direction::out, out, response);
    io(1050, kClient, client, Direction::in, out, response);
    now += 2'000'000;
  }
  std::vector<Event> ended() const {
    auto all = events;
    all.push_back({time_from(now), {}, formats::CaptureEnd{}});
    return all;
  }
};

Analysis analyzed(const Capture& capture, const Options& options = {}) { return analyze({}, capture.ended(), options); }

TEST(Pipeline, BothEndsKnowEachOtherAndPartition) {
  Capture capture;
  for (int i = 0; i < 10; ++i)
    capture.exchange(static_cast<std::size_t>(i % 2), "/users/" + std::to_string(i), i == 3 ? 500 : 200);
  const Analysis a = analyzed(capture);
  ASSERT_EQ(a.table.rows.size(), 20u);
  EXPECT_FALSE(a.damaged);
  int servers = 0;
  for (const model::Request row : a.table.rows) {
    EXPECT_TRUE(row.complete);
    EXPECT_TRUE(row.has_phases);
    EXPECT_EQ(std::accumulate(row.phases.begin(), row.phases.end(), std::int64_t{0}), row.duration.count());
    ASSERT_NE(row.peer.connection, 0u);
    bool found = false;
    for (const model::Request other : a.table.rows)
      if (other.id == row.peer) found = other.peer == row.id && other.role != row.role && other.path == row.path;
    EXPECT_TRUE(found);
    if (row.role == model::Role::client) continue;
    ++servers;
    EXPECT_EQ(row.duration.count(), 1'000'000);
    EXPECT_EQ(row.phases[0], 30'000);   // arrive
    EXPECT_EQ(row.phases[4], 970'000);  // work
    EXPECT_EQ(a.table.texts[row.comm], "server");
  }
  EXPECT_EQ(servers, 10);
  ASSERT_EQ(a.study.routes.size(), 2u);
  EXPECT_EQ(a.study.routes[0].route, "/users/{}");
  EXPECT_EQ(a.study.quality.requests, 20u);
  EXPECT_EQ(a.study.quality.connections_http, 4u);
}

TEST(Pipeline, SelectsByWindowAndFilterAndKeepsTheHeadersInStep) {
  Capture capture;
  for (int i = 0; i < 50; ++i)
    capture.exchange(static_cast<std::size_t>(i % 2), i % 5 ? "/a" : "/b", i % 7 ? 200 : 404);
  Options options;
  options.from = Moment{false, 20'000'000};
  options.to = Moment{true, kRealtime + 60'000'000};
  options.filters.emplace_back("role == server");
  options.filters.emplace_back("path == /b || status == 4xx");
  options.keep_headers = true;
  const Analysis a = analyzed(capture, options);
  std::size_t expected = 0;
  for (int i = 10; i < 30; ++i) expected += i % 5 == 0 || i % 7 == 0;
  ASSERT_EQ(a.table.rows.size(), expected);
  ASSERT_EQ(a.headers.size(), expected);
  for (std::size_t i = 0; i < expected; ++i)
    EXPECT_EQ(a.headers[i].request.find("x-request-id"), a.table.texts[a.table.rows[i].request_id]);
  EXPECT_EQ(a.study.quality.requests, 100u);  // of the whole capture
  EXPECT_EQ(a.study.begin, time_from(kStart + 20'000'000));
}

TEST(Pipeline, OwnRoutesAndOverflow) {
  Capture capture;
  for (int i = 0; i < 30; ++i) capture.exchange(0, "/p" + std::string(1, static_cast<char>('a' + i % 26)) + "/7", 200);
  Options options;
  options.routes = {"/pa/{id}"};
  options.max_routes = 2;
  const Analysis a = analyzed(capture, options);
  std::set<std::string> routes;
  for (const auto& r : a.study.routes) routes.insert(r.route);
  EXPECT_EQ(routes, (std::set<std::string>{"/pa/{id}", "/pb/{}", "/pc/{}", "(other)"}));
  EXPECT_GT(a.study.quality.findings[model::Finding::route_overflow], 0u);
}

TEST(Pipeline, WallTimeOfAMomentNeedsAClock) {
  Capture capture;
  capture.events.erase(capture.events.begin());
  capture.exchange(0, "/a", 200);
  Options options;
  options.from = Moment{true, kRealtime};
  EXPECT_THROW(analyzed(capture, options), std::runtime_error);
  options.from = Moment{false, 0};
  const Analysis a = analyzed(capture, options);
  std::string json;
  report::append_request(json, a.table, a.table.rows[0], a.study.quality.clock);
  EXPECT_NE(json.find("\"start_ns\":null"), std::string::npos);
}

// The same bytes from one thread and several, and from file and memory.
TEST(Pipeline, h31_SameOutputForAnyNumberOfThreads) {
  Capture capture;
  for (int i = 0; i < 5'000; ++i)
    capture.exchange(static_cast<std::size_t>(i % 2), "/items/" + std::to_string(i % 97), i % 50 ? 200 : 503);
  const auto dir = std::filesystem::temp_directory_path() / ("tailcap-pipeline-test-" + std::to_string(getpid()));
  std::filesystem::create_directories(dir);
  const std::string path = (dir / "x.tcap").string();
  {
    formats::Preamble preamble;
    preamble.capture_id = std::string(32, '0');
    formats::Writer writer(path, preamble, true);
    for (std::size_t i = 0; i < capture.events.size(); ++i) {
      writer.push(capture.events[i]);
      if (i % 3000 == 0) writer.tick(capture.events[i].time + 10s);
    }
    writer.finish(time_from(capture.now));
    ASSERT_EQ(writer.totals().lost, 0u);
  }
  std::string reports[3];
  for (unsigned threads : {1u, 2u, 5u}) {
    Options options;
    options.threads = threads;
    const Analysis a = analyze(path, options);
    ASSERT_EQ(a.table.rows.size(), 10'000u);
    auto& out = reports[threads / 2];
    out = report::json_report(a.study, a.table);
    for (const model::Request row : a.table.rows) report::append_request(out, a.table, row, a.study.quality.clock);
  }
  std::filesystem::remove_all(dir);
  EXPECT_EQ(reports[0], reports[1]);
  EXPECT_EQ(reports[0], reports[2]);
}

}  // namespace
}  // namespace tailcap::pipeline
