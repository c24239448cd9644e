// Other protocols that carry HTTP-like text, and uploads that are answered before they are complete.
#include <gtest/gtest.h>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using model::Finding;
using model::Outcome;
using model::Taint;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;

const std::string kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const std::string kRequest = "GET /invented HTTP/1.1\r\nHost: nowhere\r\n\r\n";

std::string record(unsigned type, const std::string& content) {
  return {
      1, static_cast<char>(type), 0, 1, static_cast<char>(content.size() >> 8), static_cast<char>(content.size()), 0,
      0};
}

// A FastCGI responder: it reads and sends headers and contents in separate calls.
void fastcgi(Endpoint& e, formats::Duration t, const std::string& body) {
  e.receive(t, t + 1ms, record(1, std::string(8, '\0')) + std::string(8, '\0'));
  e.receive(t + 1ms, t + 2ms, record(5, body)).receive(t + 2ms, t + 3ms, body).receive(t + 3ms, t + 4ms, record(5, ""));
  e.send(t + 5ms, record(6, body))
      .send(t + 6ms, body)
      .send(t + 7ms, record(3, std::string(8, '\0')) + std::string(8, '\0'));
}

TEST(HardCases, fastcgi_is_never_http) {
  for (const auto origin : {formats::Origin::accepted, formats::Origin::existed, formats::Origin::unknown})
    for (const auto family : {formats::Family::inet, formats::Family::unix_domain})
      for (const std::string& body : {kResponse, kRequest, kRequest + kResponse, std::string("both")})
        for (const int rounds : {1, 10}) {
          Scenario s;
          Opening o;
          o.origin = origin;
          o.family = family;
          Endpoint& e = s.open(0ms, o);
          for (int i = 0; i < rounds; ++i)
            fastcgi(e, 1ms + i * 20ms, body != "both" ? body : i % 2 ? kRequest : kResponse);
          const auto r = synth::analyse(s.with_end());
          EXPECT_EQ(r.exchanges.size(), 0u)
              << static_cast<int>(origin) << static_cast<int>(family) << " " << rounds << " " << body << "\n"
              << synth::describe(r.exchanges);
        }
}

TEST(HardCases, lines_of_text_are_never_http) {
  for (const char* const line :
       {"set key 0 0 45\r\n", "220 mx ESMTP\r\n", "NICK somebody\r\n", "*3\r\n$3\r\nSET\r\n", "get a b\r\n"}) {
    Scenario s;
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, line);
    for (int i = 0; i < 5; ++i)
      e.receive(10ms + i * 10ms, 11ms + i * 10ms, kResponse)
          .send(12ms + i * 10ms, kRequest)
          .send(14ms + i * 10ms, kResponse);
    const auto r = synth::analyse(s.with_end());
    EXPECT_EQ(r.exchanges.size(), 0u) << line << synth::describe(r.exchanges);
    EXPECT_EQ(r.findings[Finding::not_http], 1u);
  }
}

TEST(HardCases, late_http_is_believed_when_it_is_answered) {
  Scenario s;
  Opening o;
  o.origin = formats::Origin::existed;
  Endpoint& e = s.open(0ms, o);
  e.receive(1ms, 2ms, "end of a body").send(3ms, kResponse);
  e.receive(4ms, 5ms, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n").send(6ms, kResponse);
  e.receive(7ms, 8ms, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto r = synth::analyse(s.with_end());
  ASSERT_EQ(r.exchanges.size(), 3u) << synth::describe(r.exchanges);
  EXPECT_TRUE(has(r.exchanges[0].taints, Taint::began_before));
  EXPECT_EQ(r.exchanges[1].target, "/a");
  EXPECT_TRUE(r.exchanges[1].complete);
  EXPECT_EQ(r.exchanges[2].outcome, Outcome::in_flight);
}

TEST(HardCases, h03_expectation_refused) {
  for (const bool goes_on : {false, true}) {
    Scenario s;
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, "PUT /u HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n");
    e.send(3ms, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    if (goes_on) e.receive(4ms, 5ms, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n").send(6ms, kResponse);
    e.fin_arrives(7ms).eof(8ms).shut_down(9ms).close(10ms);
    const auto r = synth::analyse(s.with_end());
    ASSERT_EQ(r.exchanges.size(), goes_on ? 2u : 1u) << synth::describe(r.exchanges);
    const auto& x = r.exchanges[0];
    EXPECT_EQ(x.status, 417);
    EXPECT_EQ(x.outcome, Outcome::client_error);
    EXPECT_TRUE(x.complete);
    EXPECT_EQ(x.request_bytes, 0u);
    if (goes_on) {
      EXPECT_EQ(r.exchanges[1].target, "/a");
    }
  }
}

// The client did not wait for 100 Continue: it was already sending the body when the request was refused.
TEST(HardCases, h03_expectation_refused_too_late) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "PUT /u HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n");
  e.send(3ms, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
  e.receive(3ms, 4ms, "0123456789").receive(5ms, 6ms, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n").send(7ms, kResponse);
  const auto r = synth::analyse(s.with_end());
  ASSERT_EQ(r.exchanges.size(), 2u) << synth::describe(r.exchanges);
  EXPECT_EQ(r.exchanges[0].request_bytes, 10u);
  EXPECT_TRUE(r.exchanges[0].complete && r.exchanges[1].complete);
  EXPECT_EQ(r.exchanges[1].target, "/a");
}

TEST(HardCases, an_upload_answered_early_is_complete) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "PUT /u HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nbegin");
  e.send(3ms, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
  e.shut_down(4ms).reset(5ms, formats::Direction::in).close(6ms);
  const auto r = synth::analyse(s.with_end());
  ASSERT_EQ(r.exchanges.size(), 1u) << synth::describe(r.exchanges);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::client_error);
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[0].request_bytes, 5u);
  EXPECT_EQ(r.exchanges[0].taints, 0u);
}

TEST(HardCases, an_upload_under_way_when_recording_began) {
  Scenario s;
  Opening o;
  o.origin = formats::Origin::existed;
  Endpoint& e = s.open(0ms, o);
  for (int i = 0; i < 20; ++i) e.receive(1ms + i * 10ms, 2ms + i * 10ms, std::string(100, 'u'));
  e.send(300ms, kResponse);
  const auto r = synth::analyse(s.with_end());
  ASSERT_EQ(r.exchanges.size(), 1u) << synth::describe(r.exchanges);
  EXPECT_TRUE(has(r.exchanges[0].taints, Taint::began_before));
  EXPECT_FALSE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[0].seen_from, synth::kStart + 1ms);
}

}  // namespace
}  // namespace tailcap
