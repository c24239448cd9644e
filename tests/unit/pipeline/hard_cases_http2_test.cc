// Hard cases of HTTP/2 and gRPC, from events to exchanges: h09, h12, h14 to h17, h20 and both ends of a connection.
#include <gtest/gtest.h>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"
#include "tests/unit/protocols/http2_wire.h"

namespace tailcap::hard_cases_http2_test {
namespace {

using namespace std::chrono_literals;
using namespace protocols::http2;
using model::Outcome;
using model::Protocol;
using model::Role;
using synth::Endpoint;
using synth::kStart;
using synth::Opening;
using synth::Scenario;

const std::string kHello = std::string(kPreface) + settings();

const model::Exchange* find(const synth::Result& r, std::string_view target) {
  for (const auto& x : r.exchanges)
    if (x.target == target) return &x;
  return nullptr;
}

TEST(HardCasesHttp2, h09_prior_knowledge) {
  Scenario s;
  Encoder client, server;
  Endpoint& e = s.open(0ms);
  e.send(1ms, settings());  // servers may speak first
  e.receive(2ms, 3ms, kHello + headers(1, client(get("/a"))));
  e.send(9ms, settings_ack() + headers(1, server({{":status", "200"}}), kEndHeaders) + data(1, "hello", kEndStream));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u) << synth::describe(r.exchanges);
  const auto& x = r.exchanges[0];
  EXPECT_EQ(x.role, Role::server);
  EXPECT_EQ(x.protocol, Protocol::http2);
  EXPECT_EQ(x.stream, 1u);
  EXPECT_EQ(x.method, "GET");
  EXPECT_EQ(x.target, "/a");
  EXPECT_EQ(x.authority, "a.example");
  EXPECT_EQ(x.status, 200);
  EXPECT_EQ(x.response_bytes, 5u);
  EXPECT_EQ(x.request.first_arrived, kStart + 2ms);
  EXPECT_EQ(x.request.last_done, kStart + 3ms);
  EXPECT_EQ(x.response.last_done, kStart + 9ms);
  EXPECT_TRUE(x.complete);
  EXPECT_EQ(x.taints, 0u);
  EXPECT_EQ(r.findings[model::Finding::not_http], 0u);
}

TEST(HardCasesHttp2, h09_preface_byte_by_byte) {
  Scenario s;
  Encoder client, server;
  Endpoint& e = s.open(0ms);
  const std::string in = kHello + headers(1, client(get("/a")));
  for (std::size_t i = 0; i < in.size(); ++i) e.receive(1ms + i * 1us, 1ms + i * 1us, in.substr(i, 1));
  e.send(9ms, settings() + headers(1, server({{":status", "200"}})));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u) << synth::describe(r.exchanges);
  EXPECT_TRUE(r.exchanges[0].complete);
}

// However the bytes of the upgrade are cut, stream 1 is the upgraded request.
TEST(HardCasesHttp2, h09_upgrade) {
  const std::string ask =
      "GET /up HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
      "AAMAAABk\r\n\r\n";
  const std::string accept = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
  Encoder client, server;
  const std::string second = headers(3, client(get("/next")));
  const std::string answer1 =
      headers(1, server({{":status", "200"}, {"n", "1"}}), kEndHeaders) + data(1, "one", kEndStream);
  const std::string answer3 =
      headers(3, server({{":status", "200"}, {"n", "1"}}), kEndHeaders) + data(3, "three", kEndStream);
  for (const bool together : {false, true}) {
    Scenario s;
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, ask);
    if (together) {
      e.send(5ms, accept + settings() + answer1);
      e.receive(6ms, 7ms, kHello + second);
    } else {
      e.send(5ms, accept);
      e.receive(6ms, 7ms, kHello.substr(0, 10)).receive(7ms, 8ms, kHello.substr(10) + second);
      e.send(9ms, settings()).send(10ms, answer1);
    }
    e.send(12ms, answer3).eof(20ms).close(21ms);
    const auto r = synth::analyse(s.events());
    ASSERT_EQ(r.exchanges.size(), 2u) << synth::describe(r.exchanges);
    const auto *up = find(r, "/up"), *next = find(r, "/next");
    ASSERT_TRUE(up && next);
    EXPECT_EQ(up->stream, 1u);
    EXPECT_EQ(up->protocol, Protocol::http2);
    EXPECT_EQ(up->status, 200);
    EXPECT_EQ(up->response_bytes, 3u);
    EXPECT_EQ(up->interim_responses, 1u);
    EXPECT_EQ(up->outcome, Outcome::ok);
    EXPECT_TRUE(up->complete);
    EXPECT_EQ(next->stream, 3u);
    EXPECT_EQ(next->response_bytes, 5u);
    EXPECT_NE(up->id, next->id);
  }
}

TEST(HardCasesHttp2, h09_upgrade_refused) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms,
            "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
            "AAMAAABk\r\n\r\n");
  e.send(5ms, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  e.receive(6ms, 7ms, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n").send(8ms, "HTTP/1.1 404 N\r\nContent-Length: 0\r\n\r\n");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(find(r, "/a")->status, 200);
  EXPECT_EQ(find(r, "/b")->status, 404);
  EXPECT_EQ(find(r, "/b")->protocol, Protocol::http11);
}

TEST(HardCasesHttp2, h12_recording_starts_in_the_middle) {
  Scenario s;
  Encoder client, server;
  client(get("/old"));
  server({{":status", "404"}});
  Opening existed;
  existed.origin = formats::Origin::existed;
  Endpoint& e = s.open(0ms, existed);
  for (const std::uint32_t id : {201u, 203u, 205u}) {
    e.receive(id * 1ms, id * 1ms + 100us, headers(id, client(get("/n" + std::to_string(id)))));
    e.send(id * 1ms + 1ms,
           headers(id, server({{":status", id == 203 ? "404" : "200"}}), kEndHeaders) + data(id, "x", kEndStream));
  }
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 3u) << synth::describe(r.exchanges);
  EXPECT_EQ(find(r, "/n201")->status, 200);
  EXPECT_EQ(find(r, "/n201")->outcome, Outcome::ok);
  EXPECT_EQ(find(r, "/n201")->authority, "");  // sent before recording began
  EXPECT_EQ(find(r, "/n203")->status, 0);      // the status, too
  EXPECT_EQ(find(r, "/n203")->outcome, Outcome::unknown);
  EXPECT_GT(find(r, "/n203")->unknown_fields, 0u);
  EXPECT_EQ(find(r, "/n205")->status, 200);
}

TEST(HardCasesHttp2, h12_http1_is_still_found) {
  Scenario s;
  Opening existed;
  existed.origin = formats::Origin::existed;
  Endpoint& e = s.open(0ms, existed);
  e.receive(1ms, 2ms, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n").send(5ms, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].protocol, Protocol::http11);
}

TEST(HardCasesHttp2, h14_two_connections_and_a_reconnect) {
  Scenario s;
  for (int i = 0; i < 3; ++i) {
    Encoder client, server;
    Endpoint& e = s.open(i * 100ms);
    e.receive(i * 100ms + 1ms, i * 100ms + 2ms, kHello + headers(1, client(get("/c" + std::to_string(i)))));
    e.send(i * 100ms + 3ms, settings() + headers(1, server({{":status", i == 1 ? "404" : "200"}})));
    if (i == 0) e.eof(i * 100ms + 50ms).close(i * 100ms + 51ms);
  }
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 3u);
  EXPECT_EQ(find(r, "/c0")->status, 200);
  EXPECT_EQ(find(r, "/c1")->status, 404);
  EXPECT_EQ(find(r, "/c2")->status, 200);
}

TEST(HardCasesHttp2, h15_grpc_outcomes) {
  Scenario s;
  Encoder client, server;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 1ms, kHello).send(1ms, settings());
  const Fields answer = {{":status", "200"}, {"content-type", "application/grpc"}};
  const std::pair<const char*, Outcome> cases[] = {
      {"0", Outcome::ok}, {"5", Outcome::client_error}, {"14", Outcome::server_error}};
  std::uint32_t id = 1;
  for (const auto& [status, outcome] : cases) {
    const auto at = id * 10ms;
    e.receive(
        at, at + 1ms,
        headers(id, client(call(std::string("/s/") + status)), kEndHeaders) + data(id, grpc_message("q"), kEndStream));
    e.send(at + 2ms, headers(id, server(answer), kEndHeaders) + data(id, grpc_message("answer")));
    e.send(at + 3ms, headers(id, server({{"grpc-status", status}})));
    id += 2;
  }
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 3u);
  for (const auto& [status, outcome] : cases) {
    const auto* x = find(r, std::string("/s/") + status);
    ASSERT_TRUE(x);
    EXPECT_EQ(x->protocol, Protocol::grpc);
    EXPECT_EQ(x->outcome, outcome) << status;
    ASSERT_TRUE(x->response_grpc && x->request_grpc);
    EXPECT_EQ(x->response_grpc->status, std::stoi(status));
    EXPECT_EQ(x->request_bytes, 6u);
    EXPECT_EQ(x->response_bytes, 11u);
    EXPECT_TRUE(x->complete);
  }
}

TEST(HardCasesHttp2, h16_deadline_at_both_ends) {
  Scenario s;
  Encoder client;
  auto [c, v] = s.loopback(0ms, {}, formats::Thread{200, 200});
  const std::string ask =
      kHello + headers(1, client(call("/slow/Work")), kEndHeaders) + data(1, grpc_message("go"), kEndStream);
  c.send(10ms, ask);
  v.receive(11ms, 12ms, ask);
  c.send(60ms, rst(1, 8));
  v.receive(61ms, 62ms, rst(1, 8));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u) << synth::describe(r.exchanges);
  for (const auto& x : r.exchanges) {
    EXPECT_EQ(x.outcome, Outcome::cancelled);
    EXPECT_EQ(x.status, 0);
    EXPECT_FALSE(x.response_grpc.has_value());
    ASSERT_TRUE(x.reset);
    EXPECT_EQ(x.reset->code, 8u);
    EXPECT_EQ(x.reset->by, x.role == Role::client ? formats::Direction::out : formats::Direction::in);
    EXPECT_EQ(x.reset->at, kStart + (x.role == Role::client ? 60ms : 61ms));
    EXPECT_EQ(x.reset->done, kStart + (x.role == Role::client ? 60ms : 62ms));
    EXPECT_EQ(x.protocol, Protocol::grpc);
  }
}

TEST(HardCasesHttp2, h17_refused_and_retried) {
  Scenario s;
  Encoder client, server;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, kHello + headers(1, client(get("/once"))));
  e.send(3ms, settings() + rst(1, 7));
  e.receive(4ms, 5ms, headers(3, client(get("/once"))));
  e.send(6ms, headers(3, server({{":status", "200"}})));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::reset);
  EXPECT_TRUE(r.exchanges[0].reset->unprocessed);
  EXPECT_EQ(r.exchanges[1].outcome, Outcome::ok);
  EXPECT_FALSE(r.exchanges[1].reset);
}

TEST(HardCasesHttp2, h20_client_closes_its_side_and_is_answered) {
  Scenario s;
  Encoder client, server;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, kHello + headers(1, client(get("/a")))).eof(3ms);
  e.send(9ms, settings() + headers(1, server({{":status", "200"}}))).close(10ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::ok);
}

TEST(HardCasesHttp2, unanswered_when_the_connection_ends) {
  for (const bool capture : {true, false}) {
    Scenario s;
    Encoder client;
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, kHello + headers(1, client(get("/a")))).send(2ms, settings());
    if (!capture) e.reset(5ms, formats::Direction::in).close(6ms, 104);
    const auto r = synth::analyse(s.events());
    ASSERT_EQ(r.exchanges.size(), 1u);
    EXPECT_EQ(r.exchanges[0].outcome, capture ? Outcome::in_flight : Outcome::reset);
    EXPECT_EQ(r.exchanges[0].status, 0);
  }
}

TEST(HardCasesHttp2, unix_socket_with_bodies_not_captured) {
  Scenario s;
  s.keep_payload(256, 16);
  Encoder client, server;
  Opening opening;
  opening.family = formats::Family::unix_domain;
  Endpoint& e = s.open(0ms, opening);
  e.read(2ms, kHello + headers(1, client(get("/big"))));
  e.send(3ms, settings() + headers(1, server({{":status", "200"}}), kEndHeaders));
  for (int i = 0; i < 64; ++i) e.send(4ms + i * 1ms, data(1, std::string(16384, 'x')));
  e.send(90ms, data(1, "", kEndStream));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].response_bytes, 64u * 16384);
  EXPECT_TRUE(r.exchanges[0].complete);
}

}  // namespace
}  // namespace tailcap::hard_cases_http2_test
