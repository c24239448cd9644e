#include "analyze/report/request/show.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analyze/report/request/waterfall.h"
#include "formats/event.h"
#include "ground/syscalls.h"
#include "tests/unit/tail/sample_study.h"

namespace tailcap::report {
namespace {

using tests::at;
using tests::ms;

bool contains(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

// A request at its server, where the thread waits for a lock, and the same request at its client.
struct Sample {
  model::Study study = tests::sample_study().study;
  model::RequestTable table;
  model::Detail detail;

  explicit Sample(std::string_view path = "/users/7") {
    study.quality.clock.add(at(0), 1'772'368'496'789'000'000, formats::Duration{100});
    detail.request = end(path, model::Role::server, 12, 1.0, 30);
    auto& d = detail.request;
    auto& course = d.course.emplace();
    course.stretches = {{at(1), at(1.001), model::Label::cpu, model::Evidence::measured, {}},
                        {at(1.001), at(1.03), model::Label::lock_futex, model::Evidence::measured, {}}};
    d.waits = {{at(1.001), at(1.0295), at(1.03), 19, 1, 202, 0x7f00, 0, 0},
               {at(1.0299), at(1.0299), at(1.03), 0, 0, -1, 0, 0, 2}};
    d.events = {{model::ConnectionEvent::Kind::retransmit, at(1.02), 1448, 0},
                {model::ConnectionEvent::Kind::loss, at(1.025), 7, 0}};
    detail.peer = end(path, model::Role::client, 13, 0.999, 32);
    detail.request.row.peer = detail.peer->row.id;
  }

  model::RequestDetail end(std::string_view path, model::Role role, std::uint32_t connection, double start,
                           double milliseconds) {
    model::RequestDetail d;
    d.row = tests::sample_request(table.texts, connection, start, milliseconds, path, role);
    d.method = "GET";
    d.path = path;
    d.path_known = true;
    d.comm = "nginx";
    d.route = "/users/{}";
    auto& e = d.exchange;
    e.id = d.row.id;
    e.role = role;
    e.method = "GET";
    e.target = path;
    e.status = 200;
    e.outcome = model::Outcome::ok;
    e.protocol = model::Protocol::http11;
    e.request.first_done = e.request.last_done = at(start);
    if (role == model::Role::server) e.request.first_arrived = e.request.last_arrived = at(start);
    e.response.first_done = d.row.start + ms(milliseconds * 0.9);
    e.response.last_done = d.row.start + ms(milliseconds);
    e.reader = e.writer = {17, 18};
    e.request_headers.add("Host", "example");
    e.request_headers.add("Authorization", "******");
    e.request_headers_complete = true;
    e.response_headers.add("Content-Length", "10");
    d.connection.id = connection;
    d.connection.family = formats::Family::inet;
    d.connection.established = at(0.5);
    d.connection.connect_started = at(0.499);
    return d;
  }
};

std::string on_page(const Sample& s) {
  render::Document out;
  out.add(page_show(s.detail, s.study, {}));
  return render::to_html(out);
}

ReportOptions options() {
  ReportOptions o;
  o.file = "slow.tcap";
  return o;
}

TEST(Waterfall, PhasesAndLabelsPartitionTheRequest) {
  const Sample s;
  const Waterfall w = waterfall(s.detail, s.study);
  for (const auto& lane : w.lanes) {
    Duration end = lane.bars.front().from, sum{};
    for (const auto& bar : lane.bars) {
      EXPECT_EQ(bar.from, end) << lane.title;
      end = bar.from + bar.length;
      sum += bar.length;
    }
    EXPECT_EQ(sum, contains(lane.title, "client") ? s.detail.peer->row.duration : s.detail.request.row.duration)
        << lane.title;
  }
}

TEST(Waterfall, BothEndsOnOneAxis) {
  const Sample s;
  const Waterfall w = waterfall(s.detail, s.study);
  EXPECT_EQ(w.zero, at(0.999));  // the client began first
  ASSERT_EQ(w.lanes.size(), 3u);
  EXPECT_EQ(w.lanes[0].title, "request, at the client");
  EXPECT_EQ(w.lanes[1].title, "request, at the server");
  EXPECT_EQ(w.lanes[1].bars.front().from, ms(1));
  for (std::size_t i = 1; i < w.milestones.size(); ++i) EXPECT_LE(w.milestones[i - 1].at, w.milestones[i].at);
}

TEST(Waterfall, ThousandsOfStretchesAreSummed) {
  Sample s;
  s.detail.peer.reset();
  auto& course = *s.detail.request.course;
  course.stretches.clear();
  for (int i = 0; i < 3000; ++i)
    course.stretches.push_back({at(1) + formats::Duration{i * 10'000},
                                at(1) + formats::Duration{(i + 1) * 10'000},
                                i % 2 ? model::Label::cpu : model::Label::timer_sleep,
                                model::Evidence::measured,
                                {}});
  const Waterfall w = waterfall(s.detail, s.study);
  const auto& lane = w.lanes.back();
  EXPECT_EQ(lane.bars.size(), 3000u);
  EXPECT_LE(lane.listed.size(), 40u);
  EXPECT_EQ(lane.others, "2,990 shorter intervals, together 29.9 ms");
  EXPECT_LT(text_show(s.detail, s.study, options()).size(), 20'000u);
}

TEST(Show, SaysWhatItWaitedFor) {
  const Sample s;
  const std::string text = text_show(s.detail, s.study, options());
  EXPECT_TRUE(contains(text, "futex at 0x7f00; woken by thread 19"));
  EXPECT_TRUE(contains(text, "preempted; 2 before it lost"));
  EXPECT_TRUE(contains(text, "+0.021 s, at the server: 1,448 bytes retransmitted"));
  EXPECT_TRUE(contains(text, "7 events lost up to here"));
  EXPECT_TRUE(contains(text, "recorded too: 13.3"));
  EXPECT_TRUE(contains(text, "Authorization: ******"));
  EXPECT_TRUE(contains(text, "Response head, as sent (fields may be missing)"));
  EXPECT_TRUE(contains(text, "2026-03-01 12:34:57.789000 UTC"));
}

// Both ends of a call that the client cancelled, in text and in HTML.
TEST(Show, CallsTellWhatBothEndsDid) {
  Sample s("/shop.Cart/List");
  for (model::RequestDetail* d : {&s.detail.request, &*s.detail.peer}) {
    const bool server = d == &s.detail.request;
    d->row.protocol = d->exchange.protocol = model::Protocol::grpc;
    d->row.outcome = d->exchange.outcome = model::Outcome::cancelled;
    d->row.has_duration = d->row.has_phases = d->row.complete = false;
    d->row.grpc.timeout = 20'000'000;
    d->row.reset_after = 20'500'000;
    d->waits.clear();
    d->course.reset();
    model::GrpcMessage message;
    message.length = 7;
    message.last_done = at(server ? 1.0002 : 1.0);
    d->exchange.request_grpc.emplace().messages = 1;
    d->exchange.request_grpc->listed.push_back(message);
    message.length = 3;
    message.compressed = true;
    message.last_done = at(server ? 1.01 : 1.011);
    d->exchange.response_grpc.emplace().messages = 100;
    d->exchange.response_grpc->listed.assign(64, message);
    auto& reset = d->exchange.reset.emplace();
    reset.code = 8;
    reset.by = server ? formats::Direction::in : formats::Direction::out;
    reset.at = at(1.0195);
    reset.done = at(server ? 1.0198 : 1.0195);
  }
  const std::string text = text_show(s.detail, s.study, options());
  for (const char* what :
       {"cancelled by the client", "method List of service shop.Cart", "none was seen: the client cancelled first",
        "100 response messages", "+20.000 ms for the client", "+21.000 ms for", "missed",
        "CANCEL (8): the client sent it at +20.500 ms", "+20.800 ms", "request 1", "3 B, compressed",
        "76 more responses", "the stream was reset before the response was whole"})
    EXPECT_TRUE(contains(text, what)) << what << " in\n" << text;
  EXPECT_FALSE(contains(text, "not seen completely"));
  const std::string page = on_page(s);
  for (const char* what : {">Messages</h3>", "3 B, compressed", "CANCEL (8)"})
    EXPECT_TRUE(contains(page, what)) << what;
  const auto json = nlohmann::json::parse(json_show(s.detail, s.study, s.table));
  EXPECT_EQ(json["end"]["grpc"]["response"]["listed"].size(), 64u);
  EXPECT_EQ(json["end"]["reset"]["by"], "client");
  EXPECT_EQ(json["other_end"]["reset"]["by"], "client");
  EXPECT_EQ(json["end"]["reset"]["arrived_ns"], 19'500'000);
  EXPECT_TRUE(json["other_end"]["reset"]["arrived_ns"].is_null());
}

TEST(Show, UnknownsAreSaid) {
  Sample s;
  s.detail.peer.reset();
  auto& d = s.detail.request;
  d.row.has_duration = d.row.has_phases = d.row.complete = false;
  d.row.taints = model::Taints{} | model::Taint::cut_off;
  d.row.outcome = model::Outcome::in_flight;
  d.row.status = 0;
  d.waits.clear();
  d.course.reset();
  const std::string text = text_show(s.detail, s.study, options());
  EXPECT_TRUE(contains(text, "unfinished; not seen completely"));
  EXPECT_TRUE(contains(text, "No waterfall"));
  EXPECT_TRUE(contains(text, "the recording ended while it was under way (cut_off)"));
  EXPECT_TRUE(contains(text, "other end   not found in this capture"));
  const auto json = nlohmann::json::parse(json_show(s.detail, s.study, s.table));
  EXPECT_TRUE(json["end"]["request"]["duration_ns"].is_null());
  EXPECT_TRUE(json["other_end"].is_null());
  EXPECT_FALSE(on_page(s).empty());
}

TEST(Show, NothingFromACaptureBecomesMarkup) {
  const std::string evil = "/<script>alert(1)</script>\"'\x1b[2J\xff";
  Sample s(evil);
  s.detail.request.exchange.request_headers.add("X-" + evil, evil);
  s.detail.request.comm = s.detail.request.authority = s.detail.request.request_id = evil;
  const std::string page = on_page(s);
  EXPECT_FALSE(contains(page, "<script>alert"));
  EXPECT_FALSE(contains(page, "\x1b"));
  EXPECT_TRUE(contains(page, "&lt;script&gt;alert"));
  const std::string text = text_show(s.detail, s.study, options());
  EXPECT_FALSE(contains(text, "\x1b"));
  const auto json = nlohmann::json::parse(json_show(s.detail, s.study, s.table));  // throws on invalid JSON
  EXPECT_EQ(json["end"]["request"]["method"], "GET");
}

TEST(Show, ClearTextHeadersAreLoud) {
  Sample s;
  s.study.quality.preamble.redaction = formats::Redaction::none;
  EXPECT_TRUE(contains(text_show(s.detail, s.study, options()), "!! UNSAFE"));
  EXPECT_TRUE(contains(on_page(s), "UNSAFE"));
}

TEST(Show, JsonOffsetsAreFromTheStart) {
  const Sample s;
  const auto json = nlohmann::json::parse(json_show(s.detail, s.study, s.table));
  EXPECT_EQ(json["schema"], 3);
  const auto& end = json["end"];
  EXPECT_EQ(end["request"]["id"], "12.3");
  EXPECT_EQ(end["instants"]["request"]["first_arrived_ns"], 0);
  EXPECT_EQ(end["instants"]["response"]["last_done_ns"], 30'000'000);
  EXPECT_TRUE(end["instants"]["continue_done_ns"].is_null());
  EXPECT_TRUE(end["window_waits"].empty());
  EXPECT_EQ(end["window_waits_left_out"], 0);
  EXPECT_EQ(end["waits"][0]["left_ns"], 1'000'000);
  EXPECT_EQ(end["waits"][0]["syscall"], "futex");
  EXPECT_TRUE(end["waits"][1]["syscall"].is_null());
  EXPECT_EQ(end["events"][0]["kind"], "retransmit");
  EXPECT_EQ(end["connection"]["established_ns"], 1'772'368'497'289'000'000);
  std::int64_t sum = 0;
  for (const auto& [name, ns] : end["request"]["phases"].items()) sum += ns.get<std::int64_t>();
  EXPECT_EQ(sum, end["request"]["duration_ns"]);
  EXPECT_EQ(json["other_end"]["request"]["id"], "13.3");
}

TEST(Show, SameRequestSameBytes) {
  const Sample a, b;
  EXPECT_EQ(text_show(a.detail, a.study, options()), text_show(b.detail, b.study, options()));
  EXPECT_EQ(on_page(a), on_page(b));
}

TEST(Syscalls, NamesByNumber) {
  EXPECT_EQ(ground::syscall_name(0), "read");
  EXPECT_EQ(ground::syscall_name(202), "futex");
  EXPECT_EQ(ground::syscall_name(232), "epoll_wait");
  EXPECT_EQ(ground::syscall_name(334), "rseq");
  EXPECT_EQ(ground::syscall_name(400), "syscall 400");
  EXPECT_EQ(ground::syscall_name(441), "epoll_pwait2");
  EXPECT_EQ(ground::syscall_name(32767), "syscall 32767");
  EXPECT_EQ(ground::syscall_name(-1), "no system call");
}

}  // namespace
}  // namespace tailcap::report
