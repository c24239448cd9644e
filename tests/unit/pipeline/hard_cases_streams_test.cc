// Hard cases of HTTP/2, as the whole analysis reports requests: h10 to h13, h17 to h19, h27.
#include <gtest/gtest.h>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"
#include "tests/unit/protocols/http2_wire.h"

namespace tailcap::hard_cases_streams_test {
namespace {

using namespace std::chrono_literals;
using namespace protocols::http2;
using model::AttemptEvidence;
using model::Outcome;
using model::Request;
using model::Role;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;

constexpr formats::Thread kServer{200, 200};
const std::string kHello = std::string(kPreface) + settings();

Opening client_end(int port = 40000) {
  Opening o;
  o.origin = formats::Origin::connected;
  o.local = "10.0.0.2:" + std::to_string(port);
  o.remote = "10.0.0.1:80";
  return o;
}

struct Table {
  explicit Table(const Scenario& s) {
    auto analysis = pipeline::analyze(synth::plain_preamble(), s.with_end());
    for (const auto row : analysis.table.rows) rows.push_back(row);
    texts = std::move(analysis.table.texts);
    study = std::move(analysis.study);
  }
  std::vector<Request> of(std::string_view path, Role role = Role::client) const {
    std::vector<Request> out;
    for (const auto& row : rows)
      if (row.role == role && texts[row.path] == path) out.push_back(row);
    return out;
  }
  Request one(std::string_view path, Role role = Role::client) const {
    const auto all = of(path, role);
    EXPECT_EQ(all.size(), 1u) << path;
    return all.empty() ? Request() : all[0];
  }
  std::vector<Request> rows;
  model::TextPool texts;
  model::Study study;
};

TEST(HardCasesStreams, h10_padding_priority_and_continuations_read_byte_by_byte) {
  Scenario s;
  Encoder client, server;
  Endpoint& e = s.open(0ms);
  const std::string block = client({{":method", "POST"},
                                    {":scheme", "http"},
                                    {":path", "/long"},
                                    {":authority", "a"},
                                    {"x-long", std::string(20000, 'q')}});
  const std::string in =
      kHello +
      frame(FrameType::headers, kPadded | kPriority, 1,
            '\5' + number(0, 4) + '\x10' + block.substr(0, 50) + std::string(5, '\0')) +
      frame(FrameType::continuation, 0, 1, block.substr(50, 15000)) +
      frame(FrameType::continuation, kEndHeaders, 1, block.substr(15050)) +
      frame(FrameType::data, kPadded | kEndStream, 1, '\3' + std::string("abc") + std::string(3, '\0'));
  for (std::size_t i = 0; i < in.size(); ++i) e.receive(1ms + i * 1us, 1ms + i * 1us, in.substr(i, 1));
  e.send(90ms, settings() + headers(1, server({{":status", "204"}})));
  const Table t(s);
  const Request r = t.one("/long", Role::server);
  EXPECT_TRUE(r.complete);
  EXPECT_EQ(r.request_bytes, 3);
  EXPECT_EQ(r.status, 204);
  EXPECT_EQ(r.taints, 0u);
}

// Table size to 0 and back, never-indexed and Huffman strings, an entry larger than the table.
TEST(HardCasesStreams, h11_header_compression) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  Encoder plain, server;
  const std::string first = plain({{":method", "GET"}, {":scheme", "http"}, {":path", "/one"}, {":authority", "a"}});
  // Size 0, then 64: everything is evicted. :authority "www.example.com" in Huffman's code (RFC 7541, C.4.1), never
  // indexed.
  const std::string huffman = std::string("\x11\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff", 14);
  const std::string second = std::string("\x20\x3f\x21", 3) + "\x82\x86" + '\x44' + Encoder::text("/two") + huffman +
                             '\x40' + Encoder::text("x-big") + Encoder::text(std::string(100, 'b'));
  const std::string third =
      std::string("\x82\x86") + '\x44' + Encoder::text("/three") + '\xbe';  // the table contains only :path
  e.receive(1ms, 1ms, kHello + headers(1, first) + headers(3, second)).receive(2ms, 2ms, headers(5, third));
  e.send(3ms, settings() + headers(1, server({{":status", "200"}})) + headers(3, server({{":status", "200"}})) +
                  headers(5, server({{":status", "200"}})));
  const Table t(s);
  EXPECT_EQ(t.texts[t.one("/one", Role::server).authority], "a");
  EXPECT_EQ(t.texts[t.one("/two", Role::server).authority], "www.example.com");
  EXPECT_EQ(t.of("/three", Role::server).size(), 1u);
}

// The server's end was recorded from the middle of the connection on, the client's from the start.
TEST(HardCasesStreams, h12_unknown_fields_come_from_the_other_end) {
  Scenario s;
  Encoder client, server;
  Endpoint& c = s.open(0ms, client_end());
  const std::string early_in = kHello + headers(1, client(get("/early"))),
                    early_out = settings() + headers(1, server({{":status", "404"}}));
  c.send(1ms, early_in);
  c.receive(4ms, 4ms, early_out);
  Opening late;
  late.origin = formats::Origin::existed;
  late.thread = kServer;
  late.local = "10.0.0.1:80";
  late.remote = "10.0.0.2:40000";
  late.in = 1000 + static_cast<std::uint32_t>(early_in.size());
  late.out = 5000 + static_cast<std::uint32_t>(early_out.size());
  Endpoint& v = s.open(9ms, late);
  for (const std::uint32_t id : {3u, 5u, 7u}) {
    const std::string ask = headers(id, client(get("/n" + std::to_string(id)))),
                      answer = headers(id, server({{":status", "404"}}));
    c.send(id * 10ms, ask);
    v.receive(id * 10ms + 100us, id * 10ms + 200us, ask).send(id * 10ms + 1ms, answer);
    c.receive(id * 10ms + 2ms, id * 10ms + 2ms, answer);
  }
  const Table t(s);
  for (const char* path : {"/n3", "/n5", "/n7"}) {
    const Request theirs = t.one(path, Role::client), mine = t.one(path, Role::server);
    EXPECT_EQ(theirs.from_peer, 0u);
    ASSERT_EQ(mine.peer, theirs.id) << path;
    EXPECT_EQ(t.texts[mine.authority], "a.example");
    EXPECT_EQ(mine.status, 404);
    EXPECT_EQ(mine.outcome, Outcome::client_error);
    EXPECT_EQ(mine.from_peer,
              static_cast<unsigned>(model::FromPeer::authority) | static_cast<unsigned>(model::FromPeer::status));
  }
}

// The same without a recording of the client's end: unknown fields stay unknown.
TEST(HardCasesStreams, h12_unknown_fields_stay_unknown_without_it) {
  Scenario s;
  Encoder client, server;
  client(get("/early"));
  server({{":status", "404"}});
  Opening late;
  late.origin = formats::Origin::existed;
  Endpoint& v = s.open(0ms, late);
  for (const std::uint32_t id : {3u, 5u, 7u})
    v.receive(id * 10ms, id * 10ms, headers(id, client(get("/n" + std::to_string(id)))))
        .send(id * 10ms + 1ms, headers(id, server({{":status", "404"}})));
  const Table t(s);
  for (const char* path : {"/n3", "/n5", "/n7"}) {
    const Request r = t.one(path, Role::server);
    EXPECT_EQ(r.authority, 0u);
    EXPECT_EQ(r.status, 0);
    EXPECT_EQ(r.from_peer, 0u);
    EXPECT_FALSE(r.complete);
    EXPECT_EQ(r.response_flow_control, -1);
  }
}

TEST(HardCasesStreams, h13_after_a_loss_header_fields_are_uncertain_and_say_so) {
  Scenario s;
  Encoder client, server;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 1ms, kHello + headers(1, client(get("/a"))))
      .send(2ms, settings() + headers(1, server({{":status", "200"}})));
  const std::string lost =
      headers(3, client({{":method", "GET"}, {":scheme", "http"}, {":path", "/lost"}, {":authority", "other"}}));
  e.arrive(3ms, static_cast<std::uint32_t>(lost.size())).lose_read(lost.size());
  for (const std::uint32_t id : {5u, 7u, 9u, 11u})
    e.receive(id * 1ms, id * 1ms, headers(id, client(get("/x" + std::to_string(id)))));
  for (const std::uint32_t id : {3u, 5u, 7u, 9u, 11u})
    e.send(20ms + id * 1ms, headers(id, server({{":status", "200"}})));
  const Table t(s);
  EXPECT_EQ(t.one("/a", Role::server).taints, 0u);
  EXPECT_TRUE(t.of("/lost", Role::server).empty());
  for (const char* path : {"/x5", "/x7", "/x9", "/x11"})
    for (const Request& r : t.of(path, Role::server)) {
      EXPECT_EQ(r.authority, 0u);  // an index is not resolved if its entry may have moved
      EXPECT_EQ(r.response_flow_control, -1);
    }
  EXPECT_EQ(t.study.quality.findings[model::Finding::frames_lost], 1u);
}

TEST(HardCasesStreams, h17_refused_and_retried_is_one_call) {
  Scenario s;
  Encoder client, server;
  Endpoint& e = s.open(0ms, client_end());
  e.send(1ms, kHello + headers(1, client(get("/once")))).receive(3ms, 3ms, settings() + rst(1, 7));
  e.send(5ms, headers(3, client(get("/other")))).send(6ms, headers(5, client(get("/once"))));
  e.receive(8ms, 8ms, headers(3, server({{":status", "200"}})) + headers(5, server({{":status", "200"}})));
  const Table t(s);
  const auto calls = t.of("/once");
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].attempt, 1u);
  EXPECT_EQ(calls[0].attempt_of.connection, 0u);
  EXPECT_EQ(calls[1].attempt, 2u);
  EXPECT_EQ(calls[1].attempt_of, calls[0].id);
  EXPECT_EQ(calls[1].attempt_how, AttemptEvidence::refused);
  EXPECT_EQ(t.one("/other").attempt, 0u);
  EXPECT_EQ(t.study.quality.retries, 1u);
  EXPECT_EQ(t.study.quality.retries_inferred, 1u);
  EXPECT_EQ(t.study.quality.retried_calls, 1u);
}

TEST(HardCasesStreams, h17_above_goaway_and_retried_on_another_connection) {
  Scenario s;
  Encoder client, server, second, second_server;
  Endpoint& e = s.open(0ms, client_end());
  const std::string done = headers(1, client(get("/done"))), above = headers(3, client(get("/above")));
  e.send(1ms, kHello + done + above);
  e.receive(3ms, 3ms, settings() + goaway(1, 0) + headers(1, server({{":status", "200"}})));
  Endpoint& f = s.open(4ms, client_end(40001));
  f.send(5ms, kHello + headers(1, second(get("/above"))))
      .receive(9ms, 9ms, settings() + headers(1, second_server({{":status", "200"}})));
  const Table t(s);
  const auto calls = t.of("/above");
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[1].attempt, 2u);
  EXPECT_EQ(calls[1].attempt_of, calls[0].id);
  EXPECT_NE(calls[1].id.connection, calls[0].id.connection);
  EXPECT_EQ(t.one("/done").attempt, 0u);
}

// No link if two requests match, too much time has passed, or the request differs.
TEST(HardCasesStreams, h17_what_is_ambiguous_is_not_linked) {
  Scenario s;
  Encoder client, server;
  Endpoint& e = s.open(0ms, client_end());
  const std::string two = headers(1, client(get("/two"))), late = headers(3, client(get("/late")));
  e.send(1ms, kHello + two + late);
  e.receive(3ms, 3ms, settings() + rst(1, 7) + rst(3, 7));
  e.send(4ms, headers(5, client(get("/two")))).send(5ms, headers(7, client(get("/two"))));
  e.send(1100ms, headers(9, client(get("/late"))));
  std::string answers;
  for (const std::uint32_t id : {5u, 7u, 9u}) answers += headers(id, server({{":status", "200"}}));
  e.receive(1200ms, 1200ms, answers);
  const Table t(s);
  for (const Request& r : t.rows) EXPECT_EQ(r.attempt, 0u) << t.texts[r.path];
  EXPECT_EQ(t.study.quality.retries, 0u);
}

TEST(HardCasesStreams, h18_response_waits_for_the_window) {
  Scenario s;
  Encoder client, server;
  auto [c, v] = s.loopback(0ms, {}, kServer);
  const std::string ask = std::string(kPreface) + settings({{4, 16000}}) + headers(1, client(get("/big")));
  c.send(1ms, ask);
  v.receive(1ms, 2ms, ask);
  const std::string head =
      settings() + headers(1, server({{":status", "200"}}), kEndHeaders) + data(1, std::string(16000, 'x'));
  v.send(3ms, head);
  c.receive(3ms, 43ms, head);  // the client does not read for 40 ms
  c.send(44ms, window_update(1, 16000));
  v.receive(45ms, 45ms, window_update(1, 16000));
  const std::string rest = data(1, std::string(10, 'x'), kEndStream);
  v.send(46ms, rest);
  c.receive(46ms, 47ms, rest);
  const Table t(s);
  const Request r = t.one("/big", Role::server);
  EXPECT_EQ(r.response_flow_control, (42ms - 0ns).count());  // sent at 3, window update arrived at 45
  EXPECT_EQ(r.request_flow_control, 0);
  EXPECT_LE(r.response_flow_control, r.duration.count());
  // At the client: from the arrival of the bytes that filled the window until its update.
  EXPECT_EQ(t.one("/big", Role::client).response_flow_control, (41ms - 0ns).count());
  for (const auto& route : t.study.routes) EXPECT_EQ(route.flow_control.count, 1u);
}

// The sender continued long after the window opened: it may have had nothing to send.
TEST(HardCasesStreams, h18_a_pause_of_the_sender_is_not_blamed_on_the_receiver) {
  Scenario s;
  Encoder client, server;
  Endpoint& v = s.open(0ms);
  v.receive(1ms, 1ms, std::string(kPreface) + settings({{4, 16000}}) + headers(1, client(get("/ticks"))));
  v.send(3ms, settings() + headers(1, server({{":status", "200"}}), kEndHeaders) + data(1, std::string(16000, 'x')));
  v.receive(5ms, 5ms, window_update(1, 16000));
  v.send(500ms, data(1, "tick", kEndStream));
  EXPECT_EQ(Table(s).one("/ticks", Role::server).response_flow_control, 0);
}

TEST(HardCasesStreams, behind_the_bytes_of_other_streams) {
  Scenario s;
  Encoder client, server;
  Endpoint& v = s.open(0ms);
  const std::string small_head = headers(1, client(get("/small"))), big_head = headers(3, client(get("/big")));
  v.receive(1ms, 1ms,
            std::string(kPreface) + settings({{4, 1 << 20}}) + window_update(0, 1 << 20) + small_head + big_head);
  v.send(2ms, settings() + headers(1, server({{":status", "200"}}), kEndHeaders) +
                  headers(3, server({{":status", "200"}}), kEndHeaders));
  v.send(3ms, data(1, "first"));
  for (int i = 0; i < 4; ++i) v.send(10ms + i * 5ms, data(3, std::string(16000, 'b')));
  v.send(26ms, data(1, "last", kEndStream)).send(27ms, data(3, "end", kEndStream));
  const Table t(s);
  const Request small = t.one("/small", Role::server), big = t.one("/big", Role::server);
  EXPECT_EQ(small.behind_others, (15ms - 0ns).count());  // 10 to 25: not while nothing was sent
  EXPECT_EQ(small.behind_others_bytes, 4 * 16000);
  EXPECT_EQ(big.behind_others_bytes, 4 + 5);
  EXPECT_EQ(big.behind_others, 0);  // one frame at one instant
}

TEST(HardCasesStreams, opened_at_the_limit_of_streams) {
  Scenario s;
  Encoder client, server;
  Endpoint& c = s.open(0ms, client_end());
  c.send(1ms, kHello).receive(2ms, 2ms, settings({{3, 2}}));
  c.send(3ms, headers(1, client(get("/1")))).send(4ms, headers(3, client(get("/3"))));
  c.receive(14ms, 14ms, headers(1, server({{":status", "200"}})));
  c.send(14100us, headers(5, client(get("/5"))));  // at once
  c.receive(20ms, 20ms, headers(3, server({{":status", "200"}})));
  c.send(30ms, headers(7, client(get("/7"))));  // the limit had had room for 10 ms
  c.receive(40ms, 40ms, headers(5, server({{":status", "200"}})) + headers(7, server({{":status", "200"}})));
  c.send(50ms, headers(9, client(get("/9")))).receive(60ms, 60ms, headers(9, server({{":status", "200"}})));
  const Table t(s);
  EXPECT_EQ(t.one("/1").stream_limit, -1);
  EXPECT_EQ(t.one("/3").stream_limit, -1);
  EXPECT_EQ(t.one("/5").stream_limit, (10ms - 0ns).count());  // limit reached at 4, room at 14
  EXPECT_EQ(t.one("/7").stream_limit, -1);
  EXPECT_EQ(t.one("/9").stream_limit, -1);
}

TEST(HardCasesStreams, h19_a_push_is_an_exchange_at_both_ends) {
  Scenario s;
  Encoder client, server;
  auto [c, v] = s.loopback(0ms, {}, kServer);
  const std::string ask = kHello + headers(1, client(get("/page")));
  c.send(1ms, ask);
  v.receive(1ms, 2ms, ask);
  std::string promise =
      settings() + frame(FrameType::push_promise, kEndHeaders, 1, number(2, 4) + server(get("/style.css")));
  promise += headers(1, server({{":status", "200"}}), kEndHeaders) + data(1, "page", kEndStream);
  v.send(3ms, promise);
  c.receive(4ms, 5ms, promise);
  const std::string style = headers(2, server({{":status", "200"}}), kEndHeaders) + data(2, "style", kEndStream);
  v.send(8ms, style);
  c.receive(9ms, 10ms, style);
  const Table t(s);
  ASSERT_EQ(t.rows.size(), 4u);
  const Request at_server = t.one("/style.css", Role::server), at_client = t.one("/style.css", Role::client);
  for (const Request& r : {at_server, at_client}) {
    EXPECT_TRUE(r.pushed);
    EXPECT_EQ(r.stream, 2u);
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.response_bytes, 5);
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.taints, 0u);
  }
  EXPECT_EQ(at_server.peer, at_client.id);
  EXPECT_EQ(at_client.peer, at_server.id);
  EXPECT_EQ(at_server.duration, 5ms);  // promise at 3, response sent at 8
  EXPECT_EQ(at_client.duration, 6ms);  // promise arrived at 4, response read at 10
  EXPECT_FALSE(t.one("/page", Role::client).pushed);
}

// The server closed an idle connection while the request was in flight; the client sends it again.
TEST(HardCasesStreams, h27_idle_connection_was_closed_and_the_request_made_again) {
  Scenario s;
  const std::string ask = "GET /again HTTP/1.1\r\nHost: h\r\n\r\n",
                    answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  Endpoint& e = s.open(0ms, client_end());
  e.send(1ms, "GET /first HTTP/1.1\r\nHost: h\r\n\r\n").receive(2ms, 2ms, answer);
  e.send(5000ms, ask).reset(5001ms, formats::Direction::in).close(5001ms, 104);
  Endpoint& f = s.open(5002ms, client_end(40001));
  f.send(5003ms, ask).receive(5010ms, 5010ms, answer);
  const Table t(s);
  const auto calls = t.of("/again");
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].outcome, Outcome::reset);
  EXPECT_EQ(calls[0].attempt, 1u);
  EXPECT_EQ(calls[1].attempt, 2u);
  EXPECT_EQ(calls[1].attempt_of, calls[0].id);
  EXPECT_EQ(calls[1].attempt_how, AttemptEvidence::unanswered);
  EXPECT_EQ(calls[1].outcome, Outcome::ok);
  EXPECT_EQ(t.one("/first").attempt, 0u);
}

// An unanswered first request is a failure, and the next one counts as a new call.
TEST(HardCasesStreams, h27_a_new_connection_that_breaks_is_no_idle_one) {
  Scenario s;
  const std::string ask = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
  Endpoint& e = s.open(0ms, client_end());
  e.send(1ms, ask).reset(2ms, formats::Direction::in).close(2ms, 104);
  Endpoint& f = s.open(3ms, client_end(40001));
  f.send(4ms, ask).receive(5ms, 5ms, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  for (const Request& r : Table(s).rows) EXPECT_EQ(r.attempt, 0u);
}

// gRPC sends the attempt number: a retry after a failure, then a hedge during a call that is still under way.
TEST(HardCasesStreams, h27_grpc_says_which_attempt_it_is) {
  Scenario s;
  Encoder client, server;
  const auto again = [](const std::string& path, const char* n) {
    Fields f = call(path);
    f.push_back({":authority", "a"});
    if (*n) f.push_back({"grpc-previous-rpc-attempts", n});
    return f;
  };
  const Fields head = {{":status", "200"}, {"content-type", "application/grpc"}};
  Endpoint& e = s.open(0ms, client_end());
  e.send(1ms, kHello + headers(1, client(again("/s/Retry", "")))).receive(2ms, 2ms, settings());
  Fields failed = head;
  failed.push_back({"grpc-status", "14"});
  e.receive(3ms, 3ms, headers(1, server(failed)));
  e.send(50ms, headers(3, client(again("/s/Retry", "1")))).receive(53ms, 53ms, headers(3, server(failed)));
  e.send(90ms, headers(5, client(again("/s/Retry", "2"))))
      .receive(91ms, 91ms, headers(5, server(head), kEndHeaders))
      .receive(92ms, 92ms, headers(5, server({{"grpc-status", "0"}})));
  e.send(100ms, headers(7, client(again("/s/Hedge", "")))).send(120ms, headers(9, client(again("/s/Hedge", "1"))));
  e.receive(130ms, 130ms, headers(9, server(head), kEndHeaders))
      .receive(131ms, 131ms, headers(9, server({{"grpc-status", "0"}})));
  e.send(132ms, rst(7, 8));
  const Table t(s);
  const auto retries = t.of("/s/Retry"), hedges = t.of("/s/Hedge");
  ASSERT_EQ(retries.size(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(retries[i].attempt, i + 1);
    EXPECT_EQ(retries[i].attempt_how, AttemptEvidence::grpc_header);
    EXPECT_EQ(retries[i].attempt_of, i == 0 ? model::ExchangeId{} : retries[0].id);
  }
  ASSERT_EQ(hedges.size(), 2u);
  EXPECT_EQ(hedges[1].attempt, 2u);
  EXPECT_EQ(hedges[1].attempt_of, hedges[0].id);
  EXPECT_EQ(t.study.quality.retries, 3u);
  EXPECT_EQ(t.study.quality.retries_inferred, 0u);
  EXPECT_EQ(t.study.quality.retried_calls, 2u);
}

}  // namespace
}  // namespace tailcap::hard_cases_streams_test
