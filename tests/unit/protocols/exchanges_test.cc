// Requests and responses paired, and their outcomes.
#include <gtest/gtest.h>

#include <functional>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using formats::Direction;
using model::Finding;
using model::Outcome;
using model::Role;
using synth::Endpoint;
using synth::kStart;
using synth::Opening;
using synth::Scenario;

const std::string kGet = "GET /r HTTP/1.1\r\nHost: h\r\n\r\n";
std::string answer(int status, const std::string& body = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

Outcome outcome_of(const std::function<void(Endpoint&)>& play, Role role) {
  Scenario s;
  Opening o;
  o.origin = role == Role::server ? formats::Origin::accepted : formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  play(e);
  const auto r = synth::analyse(s.events());
  EXPECT_EQ(r.exchanges.size(), 1u) << synth::describe(r.exchanges);
  if (r.exchanges.empty()) return Outcome::unknown;
  EXPECT_EQ(r.exchanges[0].role, role);
  return r.exchanges[0].outcome;
}

TEST(Exchanges, Outcomes) {
  const auto server = [](auto play) {
    return outcome_of(
        [&](Endpoint& e) {
          e.receive(1ms, 2ms, kGet);
          play(e);
        },
        Role::server);
  };
  const auto client = [](auto play) {
    return outcome_of(
        [&](Endpoint& e) {
          e.send(1ms, kGet);
          play(e);
        },
        Role::client);
  };
  EXPECT_EQ(server([](Endpoint& e) { e.send(3ms, answer(302)); }), Outcome::ok);
  EXPECT_EQ(server([](Endpoint& e) { e.send(3ms, answer(404)); }), Outcome::client_error);
  EXPECT_EQ(server([](Endpoint& e) { e.send(3ms, answer(503)); }), Outcome::server_error);
  EXPECT_EQ(server([](Endpoint& e) { e.shut_down(3ms).close(4ms); }), Outcome::no_response);
  EXPECT_EQ(server([](Endpoint& e) { e.reset(3ms, Direction::in).close(3ms, 104); }), Outcome::reset);
  EXPECT_EQ(server([](Endpoint&) {}), Outcome::in_flight);
  EXPECT_EQ(server([](Endpoint& e) { e.send(3ms, answer(200, "abc").substr(0, 39)).shut_down(4ms).close(5ms); }),
            Outcome::truncated);
  EXPECT_EQ(client([](Endpoint& e) { e.fin_arrives(3ms).eof(4ms); }), Outcome::no_response);
  EXPECT_EQ(client([](Endpoint& e) { e.shut_down(3ms).close(4ms); }), Outcome::no_response);  // the client gave up
  EXPECT_EQ(client([](Endpoint& e) { e.close(3ms, 110); }), Outcome::no_response);
  EXPECT_EQ(client([](Endpoint& e) {
              e.receive(3ms, 4ms, answer(200, "abc").substr(0, 39)).reset(5ms, Direction::in).close(5ms, 104);
            }),
            Outcome::reset);
  EXPECT_EQ(client([](Endpoint& e) { e.receive(3ms, 4ms, answer(200, "abc").substr(0, 39)); }), Outcome::in_flight);
}

TEST(Exchanges, AFinalResponseBeforeTheRequestIsThere) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "POST /u HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
      .send(3ms, answer(413))
      .receive(4ms, 5ms, "defghij");
  e.receive(6ms, 7ms, kGet).send(8ms, answer(200));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[0].status, 413);
  EXPECT_EQ(r.exchanges[0].request_bytes, 10u);
  EXPECT_EQ(r.exchanges[0].request.last_done, kStart + 5ms);
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[1].status, 200);
}

TEST(Exchanges, AnUploadThatIsBrokenOffAfterItsAnswer) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "POST /u HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc").send(3ms, answer(413));
  e.fin_arrives(4ms).eof(4ms).shut_down(5ms).close(6ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::client_error);
  EXPECT_EQ(r.exchanges[0].request_bytes, 3u);
  EXPECT_TRUE(r.exchanges[0].complete);  // nothing more was sent
}

TEST(Exchanges, TimeoutOfAnUnfinishedHead) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "GET /slow HTTP/1.1\r\nHos").send(60s, answer(408)).shut_down(60s + 1ms).close(60s + 2ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u) << synth::describe(r.exchanges);
  EXPECT_EQ(r.exchanges[0].target, "/slow");
  EXPECT_EQ(r.exchanges[0].status, 408);
  EXPECT_FALSE(r.exchanges[0].request_headers_complete);
  EXPECT_FALSE(r.exchanges[0].complete);
}

TEST(Exchanges, ATimeoutOfAnIdleConnectionAnswersNothing) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, kGet).send(3ms, answer(200)).send(60s, answer(408)).shut_down(60s).close(60s);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u) << synth::describe(r.exchanges);
  EXPECT_EQ(r.exchanges[0].status, 200);
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_EQ(r.findings[Finding::unsolicited_response], 1u);
  EXPECT_EQ(r.findings[Finding::response_without_request], 0u);
}

TEST(Exchanges, ATimeoutOfAConnectionWithoutARequestAnswersNothing) {
  for (const bool serves : {true, false}) {
    Scenario s;
    Endpoint& e = s.open(0ms);
    if (serves)
      e.send(60s, answer(408)).shut_down(60s).close(60s);
    else
      e.receive(60s, 60s, answer(408)).fin_arrives(60s).eof(60s).close(60s);
    const auto r = synth::analyse(s.events());
    EXPECT_TRUE(r.exchanges.empty()) << synth::describe(r.exchanges);
    EXPECT_EQ(r.findings[Finding::unsolicited_response], 1u);
  }
}

TEST(Exchanges, AResponseBehindLostRequestsIsNotUnsolicited) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, kGet).send(3ms, answer(200)).lose_read(40).send(60s, answer(408));
  e.receive(61s, 61s, kGet).send(61s, answer(200)).shut_down(62s).close(62s);
  const auto r = synth::analyse(s.events());
  EXPECT_EQ(r.findings[Finding::unsolicited_response], 0u);
  EXPECT_EQ(r.exchanges.size(), 3u) << synth::describe(r.exchanges);
}

TEST(Exchanges, WhatIsNotHttpIsNoRequest) {
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00 GET / HTTP/1.1\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string("EHLO example.com\r\n"), std::string(400, 'A'), std::string("GET / FTP/1.0\r\n\r\n"),
        std::string("\0\0\0\x08", 4), std::string("GET\r\n\r\n")}) {
    Scenario s;
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, bytes).send(3ms, "+OK\r\n").receive(4ms, 5ms, kGet);
    const auto r = synth::analyse(s.events());
    EXPECT_TRUE(r.exchanges.empty()) << bytes << synth::describe(r.exchanges);
  }
}

TEST(Exchanges, RandomBytesAreNoRequest) {
  std::uint64_t x = 88172645463325252u;
  for (int round = 0; round < 500; ++round) {
    Scenario s;
    Opening o;
    o.origin = round % 2 ? formats::Origin::existed : formats::Origin::accepted;
    Endpoint& e = s.open(0ms, o);
    for (int i = 1; i < 10; ++i) {
      std::string bytes;
      for (int k = 0; k < 64; ++k) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes += static_cast<char>(x >> 24);
      }
      i % 2 ? e.receive(i * 1ms, i * 1ms, bytes) : e.send(i * 1ms, bytes);
    }
    ASSERT_TRUE(synth::analyse(s.events()).exchanges.empty());
  }
}

TEST(Exchanges, AuthorityOfAbsoluteTargets) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "GET http://a.example:8080/p?q HTTP/1.1\r\nHost: other\r\n\r\n").send(3ms, answer(200));
  const auto r = synth::analyse(s.events());
  EXPECT_EQ(r.exchanges.at(0).authority, "a.example:8080");
}

TEST(Exchanges, FoldedFieldsAndTrailers) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "GET / HTTP/1.1\r\nX-Long: one\r\n  two\r\n\tthree\r\nHost: h\r\n\r\n").send(3ms, answer(200));
  const auto r = synth::analyse(s.events());
  EXPECT_EQ(r.exchanges.at(0).request_headers.find("x-long"), "one two three");
  EXPECT_EQ(r.exchanges.at(0).authority, "h");
}

TEST(Exchanges, IdsCountFromOneInOrder) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  for (int i = 0; i < 5; ++i) e.receive(10ms * i + 1ms, 10ms * i + 2ms, kGet).send(10ms * i + 3ms, answer(200 + i));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 5u);
  for (unsigned i = 0; i < 5; ++i) {
    EXPECT_EQ(r.exchanges[i].id, (model::ExchangeId{1, i + 1}));
    EXPECT_EQ(r.exchanges[i].status, static_cast<int>(200 + i));
  }
}

}  // namespace
}  // namespace tailcap
