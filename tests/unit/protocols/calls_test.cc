// Calls of databases and caches: bytes on the wire in, exchanges out.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analyze/model/request.h"
#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using model::Exchange;
using model::Outcome;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;

Opening client(formats::Origin origin = formats::Origin::connected) {
  Opening o;
  o.origin = origin;
  return o;
}

std::string command(const std::vector<std::string>& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& w : words) out += "$" + std::to_string(w.size()) + "\r\n" + w + "\r\n";
  return out;
}

std::string message(char type, const std::string& body) {
  const auto n = static_cast<char>(body.size() + 4);
  return std::string{type} + std::string("\0\0\0", 3) + n + body;
}

const std::string kStartup("\0\0\0\x12\0\3\0\0user\0***\0\0", 18);
const std::string kReady = message('Z', "I");
const std::string kAuthenticated = message('R', std::string(4, '\0')) + kReady;
const std::string kZero(1, '\0');

// "GET user:* ok 2 ms", …
std::vector<std::string> told(const std::vector<Exchange>& exchanges) {
  std::vector<std::string> out;
  for (const Exchange& e : exchanges) {
    std::string text =
        e.method + (e.target.empty() ? "" : " " + e.target) + " " + std::string(model::name_of(e.outcome));
    if (e.store && !e.store->error_code.empty()) text += " " + e.store->error_code;
    if (e.store && e.store->rows >= 0) text += " " + std::to_string(e.store->rows) + " rows";
    if (formats::known(e.response.last_done) && formats::known(e.request.first_done))
      text += " " + std::to_string((e.response.last_done - e.request.first_done) / 1ms) + " ms";
    out.push_back(text);
  }
  return out;
}
using Told = std::vector<std::string>;

TEST(Calls, EachCommandOfAPipelineIsARequest) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.send(1ms, command({"GET", "user:17:cart"}) + command({"INCR", "queue"}));
  e.receive(3ms, 3ms, "$2\r\nab\r\n-WRONGTYPE no number\r\n");
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges),
            (Told{"GET user:*:cart ok 2 ms", "INCR queue client_error WRONGTYPE 2 ms"}));
}

TEST(Calls, WhatIsNeverAnsweredIsNoCall) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.send(1ms, command({"GET", "a"})).send(2ms, "GET / HTTP/1.1\r\n\r\n").receive(3ms, 3ms, "HTTP/1.1 200 OK\r\n\r\n");
  const auto r = synth::analyse(s.with_end());
  EXPECT_EQ(r.exchanges.size(), 0u) << synth::describe(r.exchanges);
  EXPECT_EQ(r.findings[model::Finding::not_http], 1u);
}

TEST(Calls, AServerThatHangsHasARequest) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.send(1ms, command({"GET", "a"}));
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges), (Told{"GET * in_flight"}));
}

// A send is stamped when the call returns; another thread can have read the answer before.
TEST(Calls, AnAnswerCanBeSeenFirst) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.send(1ms, command({"PING"})).receive(1ms, 1ms, "+PONG\r\n");
  e.receive(2ms, 2ms, "$1\r\n1\r\n").send(3ms, command({"GET", "a"}));
  e.send(10ms, command({"SET", "a", "1"})).receive(14ms, 14ms, "+OK\r\n");
  const auto r = told(synth::analyse(s.with_end()).exchanges);
  ASSERT_EQ(r.size(), 3u);
  EXPECT_TRUE(r[1].starts_with("GET * ok"));
  EXPECT_EQ(r[2], "SET * ok 4 ms");
}

TEST(Calls, ACommandWithoutAnAnswerTakesNoOthers) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.send(1ms, "get a\r\n").send(2ms, "set b 0 0 1 noreply\r\n1\r\n").receive(5ms, 5ms, "END\r\n");
  e.send(6ms, "get c\r\n").receive(8ms, 8ms, "END\r\n");
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges), (Told{"GET * ok 4 ms", "SET * ok 0 ms", "GET * ok 2 ms"}));
}

TEST(Calls, WhatPostgresqlSkipsBehindAnErrorFailedToo) {
  const std::string call = message('P', kZero + "SELECT 1" + kZero + std::string(2, '\0')) +
                           message('B', kZero + kZero + std::string(6, '\0')) +
                           message('E', kZero + std::string(4, '\0'));
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.send(1ms, kStartup).receive(2ms, 2ms, kAuthenticated);
  e.send(3ms, call + call + call + message('S', ""));
  e.receive(5ms, 5ms,
            message('1', "") + message('2', "") + message('C', "SELECT 1" + kZero) +
                message('E', "C42601" + kZero + kZero) + kReady);
  e.send(6ms, message('Q', "COMMIT" + kZero)).receive(9ms, 9ms, message('C', "COMMIT" + kZero) + kReady);
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges),
            (Told{"CONNECT ok 1 ms", "SELECT ? ok 1 rows 2 ms", "SELECT ? client_error 42601 2 ms",
                  "SELECT ? client_error 2 ms", "COMMIT ok 3 ms"}));
}

TEST(Calls, APreparedStatementHasItsText) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.send(1ms, kStartup).receive(2ms, 2ms, kAuthenticated);
  e.send(3ms,
         message('P', "s1" + kZero + "SELECT a FROM t WHERE b = $1" + kZero + std::string(2, '\0')) + message('S', ""));
  e.receive(4ms, 4ms, message('1', "") + kReady);
  for (int i = 0; i < 2; ++i) {
    e.send(5ms + i * 10ms, message('B', kZero + "s1" + kZero + std::string(6, '\0')) +
                               message('E', kZero + std::string(4, '\0')) + message('S', ""));
    e.receive(7ms + i * 10ms, 7ms + i * 10ms, message('2', "") + message('C', "SELECT 0" + kZero) + kReady);
  }
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges),
            (Told{"CONNECT ok 1 ms", "PREPARE SELECT a FROM t WHERE b = $1 ok 1 ms",
                  "SELECT a FROM t WHERE b = $1 ok 0 rows 2 ms", "SELECT a FROM t WHERE b = $1 ok 0 rows 2 ms"}));
}

// The first answer belongs to what was asked before the recording, and so would all that follow.
TEST(Calls, AnOlderConnectionThatPipelinesIsPairedWhenItIsQuiet) {
  Scenario s;
  Endpoint& e = s.open(0ms, client(formats::Origin::existed));
  for (int i = 0; i < 4; ++i) {
    e.send(10ms + i * 4ms, command({"GET", "a"}));
    e.receive(12ms + i * 4ms, 12ms + i * 4ms, "$1\r\n1\r\n");
  }
  e.receive(27ms, 27ms, "$1\r\n1\r\n");
  e.send(100ms, command({"SET", "a", "1"})).receive(107ms, 107ms, "+OK\r\n");
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges), (Told{"SET * ok 7 ms"}));
}

std::string query(const std::string& statement) { return message('Q', statement + kZero); }
std::string executed(const std::string& statement) {
  return message('P', kZero + statement + kZero + std::string(2, '\0')) +
         message('B', kZero + kZero + std::string(6, '\0')) + message('E', kZero + std::string(4, '\0'));
}
std::string complete(const std::string& tag) { return message('C', tag + kZero); }
const std::string kParsed = message('1', "") + message('2', "");

// Where a request is lost and its answer is not, the answers that follow belong to later requests.
TEST(Calls, AnAnswerToALostRequestTakesNoOther) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.send(1ms, kStartup).receive(2ms, 2ms, kAuthenticated);
  e.lose_send(query("DELETE FROM a").size()).receive(4ms, 4ms, complete("DELETE 7") + kReady);
  for (int i = 1; i <= 4; ++i) {
    e.send(i * 5ms, query("DELETE FROM t"));
    e.receive(i * 5ms + 2ms, i * 5ms + 2ms, complete("DELETE " + std::to_string(i)) + kReady);
  }
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges),
            (Told{"CONNECT ok 1 ms", " ok 7 rows", "DELETE FROM t ok 1 rows 2 ms", "DELETE FROM t ok 2 rows 2 ms",
                  "DELETE FROM t ok 3 rows 2 ms", "DELETE FROM t ok 4 rows 2 ms"}));
}

// Nothing of the second request was kept: what is answered before the next one is its.
TEST(Calls, AnAnswerToAHiddenRequestTakesNoOther) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.send(1ms, kStartup).receive(2ms, 2ms, kAuthenticated);
  e.lose_send(30).send_file(3ms, 20).receive(4ms, 4ms, complete("DELETE 7") + kReady);
  for (int i = 1; i <= 4; ++i) {
    e.send(i * 5ms, query("DELETE FROM t"));
    e.receive(i * 5ms + 2ms, i * 5ms + 2ms, complete("DELETE " + std::to_string(i)) + kReady);
  }
  const auto r = told(synth::analyse(s.with_end()).exchanges);
  ASSERT_GE(r.size(), 3u);
  EXPECT_EQ(Told(r.end() - 3, r.end()),
            (Told{"DELETE FROM t ok 2 rows 2 ms", "DELETE FROM t ok 3 rows 2 ms", "DELETE FROM t ok 4 rows 2 ms"}));
}

// It was joined behind two requests of a pipeline, and their answers are not those of the requests that were seen.
TEST(Calls, AnOlderConnectionInAPipelineIsPairedBehindIt) {
  Scenario s;
  Endpoint& e = s.open(0ms, client(formats::Origin::existed));
  e.send(10ms, executed("DELETE FROM t")).receive(11ms, 11ms, kParsed + complete("INSERT 0 1"));
  e.send(12ms, executed("DELETE FROM t") + message('S', ""));
  e.receive(13ms, 13ms, kParsed + complete("INSERT 0 2"));
  e.receive(14ms, 14ms, kParsed + complete("DELETE 3"));
  e.receive(15ms, 15ms, kParsed + complete("DELETE 4") + kReady);
  for (int i = 5; i <= 7; ++i) {
    e.send(i * 10ms, query("DELETE FROM t"));
    e.receive(i * 10ms + 2ms, i * 10ms + 2ms, complete("DELETE " + std::to_string(i)) + kReady);
  }
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges),
            (Told{"DELETE FROM t ok 5 rows 2 ms", "DELETE FROM t ok 6 rows 2 ms", "DELETE FROM t ok 7 rows 2 ms"}));
}

TEST(Calls, AnOlderConnectionIsReadBehindItsFirstAnswer) {
  Scenario s;
  Endpoint& e = s.open(0ms, client(formats::Origin::existed));
  for (int i = 0; i < 3; ++i) {
    e.send(10ms + i * 10ms, command({"GET", "a"}));
    e.receive(12ms + i * 10ms, 12ms + i * 10ms, "$1\r\n1\r\n");
  }
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges), (Told{"GET * ok 2 ms", "GET * ok 2 ms", "GET * ok 2 ms"}));
}

}  // namespace
}  // namespace tailcap
