// HTTP/1 messages from whole, split and truncated bytes, and the exchanges that result.
#include <gtest/gtest.h>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using model::Outcome;
using synth::Endpoint;
using synth::Scenario;

TEST(Http1, OneRequestOnAServer) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  e.send(5ms, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  const model::Exchange& x = r.exchanges[0];
  EXPECT_EQ(x.role, model::Role::server);
  EXPECT_EQ(x.method, "GET");
  EXPECT_EQ(x.target, "/a");
  EXPECT_EQ(x.authority, "x");
  EXPECT_EQ(x.status, 200);
  EXPECT_EQ(x.outcome, Outcome::ok);
  EXPECT_TRUE(x.complete);
  EXPECT_EQ(x.request_bytes, 0u);
  EXPECT_EQ(x.response_bytes, 2u);
  EXPECT_EQ(x.request.first_arrived, synth::kStart + 1ms);
  EXPECT_EQ(x.request.first_done, synth::kStart + 2ms);
  EXPECT_EQ(x.response.last_done, synth::kStart + 5ms);
  EXPECT_EQ(x.taints, 0u) << synth::describe(x);
}

// A connection that an API hands over after a plain 200, as container runtimes do.
TEST(Http1, NothingIsARequestAfterAnAnswerThatEndsWithItsConnection) {
  for (const bool server : {true, false}) {
    SCOPED_TRACE(server);
    Scenario s;
    Endpoint& e = s.open(0ms);
    const auto ask = [&](auto at, const std::string& bytes) { server ? e.receive(at, at, bytes) : e.send(at, bytes); };
    const auto answer = [&](auto at, const std::string& bytes) {
      server ? e.send(at, bytes) : e.receive(at, at, bytes);
    };
    ask(1ms, "POST /exec HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    answer(2ms, "HTTP/1.1 200 OK\r\n\r\n");
    ask(3ms, "GET /secret HTTP/1.1\r\nHost: inner\r\n\r\n");
    answer(4ms, "GET /secret\n");
    ask(5ms, "POST /inner HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
    ask(6ms, "\n");
    answer(9ms, "bye\n");
    if (!server) e.eof(10ms);
    e.close(11ms);
    const auto r = synth::analyse(s.events());
    ASSERT_EQ(r.exchanges.size(), 1u);
    EXPECT_EQ(r.exchanges[0].target, "/exec");
    EXPECT_EQ(r.exchanges[0].outcome, Outcome::ok);
    EXPECT_EQ(r.exchanges[0].response_bytes, 16u);
  }
}

// What it sent before it could know is asked, and has no answer.
TEST(Http1, ARequestInFrontOfAnAnswerThatEndsWithItsConnection) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 1ms, "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
  e.send(2ms, "HTTP/1.1 200 OK\r\n\r\nhi");
  e.close(3ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::ok);
  EXPECT_EQ(r.exchanges[1].target, "/b");
  EXPECT_EQ(r.exchanges[1].status, 0);
}

// RFC 9112, 7.1: any number of digits; white space may stand behind them.
TEST(Http1, SizesOfChunks) {
  struct Case {
    std::string body;
    bool valid;
  };
  const std::string zeros(40, '0');
  const Case cases[] = {
      {"3 \r\nabc\r\n0 \r\n\r\n", true},
      {"3  \r\nabc\r\n0 \t \r\n\r\n", true},
      {"3  ;x=y\r\nabc\r\n0\r\n\r\n", true},
      {zeros + "3\r\nabc\r\n" + zeros + "\r\n\r\n", true},
      {"3  x\r\nabc\r\n0\r\n\r\n", false},
      {"10000000000000003\r\nabc\r\n0\r\n\r\n", false},  // 3, if the number overflows
      {std::string(20000, '0') + "3\r\nabc\r\n0\r\n\r\n", false},
      {"3" + std::string(20000, ' ') + "\r\nabc\r\n0\r\n\r\n", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.body.substr(0, 50));
    Scenario s;
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, "GET /a HTTP/1.1\r\n\r\n");
    e.send(3ms, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + c.body);
    const auto r = synth::analyse(s.events());
    ASSERT_EQ(r.exchanges.size(), 1u);
    EXPECT_EQ(r.exchanges[0].complete, c.valid);
    EXPECT_EQ(r.exchanges[0].response_bytes, c.valid ? std::optional<std::uint64_t>(3) : std::nullopt);
    EXPECT_EQ(has(r.exchanges[0].taints, model::Taint::malformed), !c.valid);
  }
}

}  // namespace
}  // namespace tailcap
