// Hard cases of message framing: h01 to h06, h21, h22.
#include <gtest/gtest.h>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using formats::Direction;
using model::Outcome;
using model::Taint;
using synth::Endpoint;
using synth::kStart;
using synth::Opening;
using synth::Scenario;

const std::string kGet = "GET /r HTTP/1.1\r\nHost: h\r\n\r\n";

// http1_split_test.cc tests h01 for 40 pairs; here the header is split over two segments with their own times.
TEST(HardCases, h01_header_split_at_every_position) {
  for (std::size_t cut = 1; cut < kGet.size(); ++cut) {
    Scenario s;
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, kGet.substr(0, cut)).receive(3ms, 4ms, kGet.substr(cut));
    e.send(9ms, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    const auto r = synth::analyse(s.events());
    ASSERT_EQ(r.exchanges.size(), 1u) << cut;
    const auto& x = r.exchanges[0];
    EXPECT_EQ(x.target, "/r");
    EXPECT_EQ(x.request.first_arrived, kStart + 1ms);
    EXPECT_EQ(x.request.last_arrived, kStart + 3ms);
    EXPECT_EQ(x.request.first_done, kStart + 2ms);
    EXPECT_EQ(x.request.last_done, kStart + 4ms);
    EXPECT_EQ(x.request_head_done, kStart + 4ms);
    EXPECT_TRUE(x.complete);
    EXPECT_EQ(x.taints, 0u);
  }
}

TEST(HardCases, h02_response_in_many_writes) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, kGet);
  e.send(10ms, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
  for (int i = 1; i <= 50; ++i) e.send(10ms + i * 1ms, std::string(100, 'x'));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].response.first_done, kStart + 10ms);
  EXPECT_EQ(r.exchanges[0].response.last_done, kStart + 60ms);
  EXPECT_EQ(r.exchanges[0].response_bytes, 5000u);
  EXPECT_TRUE(r.exchanges[0].complete);
}

TEST(HardCases, h03_interim_responses_before_the_final_one) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "POST /u HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  e.send(5ms, "HTTP/1.1 100 Continue\r\n\r\n");
  e.receive(8ms, 9ms, "body");
  e.send(10ms, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
  e.send(20ms, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  const auto& x = r.exchanges[0];
  EXPECT_EQ(x.status, 201);
  EXPECT_EQ(x.interim_responses, 2u);
  EXPECT_TRUE(x.expects_continue);
  EXPECT_EQ(x.continue_done, kStart + 5ms);
  EXPECT_EQ(x.request_head_done, kStart + 2ms);
  EXPECT_EQ(x.request_body_arrived, kStart + 8ms);
  EXPECT_EQ(x.request.last_done, kStart + 9ms);
  EXPECT_EQ(x.response.first_done, kStart + 20ms);  // the final response's
  EXPECT_EQ(x.request_bytes, 4u);
  EXPECT_TRUE(x.complete);
}

TEST(HardCases, h04_no_body_is_awaited) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\nGET /d HTTP/1.1\r\n\r\n");
  e.send(5ms,
         "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
         "HTTP/1.1 204 No Content\r\n\r\n"
         "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 4u);
  const int status[] = {200, 204, 304, 200};
  const std::uint64_t bytes[] = {0, 0, 0, 1};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(r.exchanges[i].status, status[i]);
    EXPECT_EQ(r.exchanges[i].response_bytes, bytes[i]);
    EXPECT_TRUE(r.exchanges[i].complete);
  }
}

TEST(HardCases, h05_chunked_by_the_rules) {
  struct Case {
    const char *fields, *body;
    std::uint64_t bytes;
    bool smuggling;
  };
  const Case cases[] = {
      {"Transfer-Encoding: chunked\r\n", "3;q=\"a;b\"\r\nabc\r\n0\r\nX-T: 1\r\n\r\n", 3, false},
      {"Transfer-Encoding: gzip, chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", 3, false},
      {"transfer-encoding: Chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", 3, false},
      {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", 3, true},
      {"Transfer-Encoding: chunked\r\nContent-Length: 500\r\n", "3\r\nabc\r\n0\r\n\r\n", 3, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.fields);
    Scenario s;
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, kGet).send(3ms, std::string("HTTP/1.1 200 OK\r\n") + c.fields + "\r\n" + c.body);
    e.receive(4ms, 5ms, kGet).send(6ms, "HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n");
    const auto r = synth::analyse(s.events());
    ASSERT_EQ(r.exchanges.size(), 2u);
    EXPECT_EQ(r.exchanges[0].response_bytes, c.bytes);
    EXPECT_EQ(r.exchanges[1].status, 202);
    EXPECT_EQ(r.findings[model::Finding::smuggling_framing], c.smuggling ? 1u : 0u);
  }
}

TEST(HardCases, h05_conflicting_lengths_are_no_length) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, kGet).send(3ms, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].status, 200);
  EXPECT_FALSE(r.exchanges[0].response_bytes);
  EXPECT_FALSE(r.exchanges[0].complete);
  EXPECT_TRUE(has(r.exchanges[0].taints, Taint::malformed));
  EXPECT_EQ(r.findings[model::Finding::smuggling_framing], 1u);
}

TEST(HardCases, h06_close_delimited_ended_by_fin_is_complete) {
  Scenario s;
  Opening o;
  o.origin = formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  e.send(1ms, kGet).receive(2ms, 3ms, "HTTP/1.0 200 OK\r\n\r\nsome").receive(8ms, 9ms, " more");
  e.fin_arrives(10ms).eof(11ms).shut_down(12ms).close(13ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::ok);
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[0].response_bytes, 9u);
  EXPECT_EQ(r.exchanges[0].response.last_done, kStart + 9ms);
}

TEST(HardCases, h06_close_delimited_ended_by_reset_is_not) {
  for (const bool server : {false, true}) {
    Scenario s;
    Opening o;
    o.origin = server ? formats::Origin::accepted : formats::Origin::connected;
    Endpoint& e = s.open(0ms, o);
    if (server)
      e.receive(1ms, 2ms, kGet).send(3ms, "HTTP/1.0 200 OK\r\n\r\nsome");
    else
      e.send(1ms, kGet).receive(2ms, 3ms, "HTTP/1.0 200 OK\r\n\r\nsome");
    e.reset(5ms, Direction::in).close(5ms, 104);
    const auto r = synth::analyse(s.events());
    ASSERT_EQ(r.exchanges.size(), 1u);
    EXPECT_EQ(r.exchanges[0].outcome, Outcome::reset);
    EXPECT_FALSE(r.exchanges[0].complete);
    EXPECT_EQ(r.exchanges[0].status, 200);
  }
}

TEST(HardCases, h06_fin_before_content_length_is_truncated) {
  Scenario s;
  Opening o;
  o.origin = formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  e.send(1ms, kGet).receive(2ms, 3ms, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsome");
  e.fin_arrives(4ms).eof(5ms).shut_down(6ms).close(7ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::truncated);
  EXPECT_FALSE(r.exchanges[0].complete);
}

TEST(HardCases, h21_long_streams_overflow_nothing) {
  Scenario s;
  s.keep_payload(256, 16);
  Opening o;
  o.out = 0xfffffff0u;  // wraps within the response's head
  o.in = 0xffffffffu;
  Endpoint& e = s.open(0ms, o);
  e.receive(1ms, 2ms, kGet);
  const std::uint64_t body = (std::uint64_t{1} << 32) * 3 + 12345;
  e.send(3ms, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body) + "\r\n\r\n");
  std::uint64_t left = body;
  formats::Duration at = 4ms;
  while (left > 0) {
    const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, 1u << 30));
    e.send_file(at, n);
    left -= n;
    at += 13min;  // in total more than 71 minutes and 2^32 ns
  }
  e.receive(at, at + 1ms, kGet).send(at + 2ms, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[0].response_bytes, body);
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_GT(r.exchanges[0].response.last_done - r.exchanges[0].response.first_done, 71min);
  EXPECT_EQ(r.exchanges[1].status, 404);
  EXPECT_TRUE(r.exchanges[1].complete);
}

TEST(HardCases, h22_large_bodies_captured_in_part) {
  Scenario s;
  s.keep_payload(64, 16);
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "POST /up HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + std::string(60000, 'a'));
  e.receive(3ms, 4ms, std::string(40000, 'b'));
  // One chunk that ends in the captured tail.
  e.send(5ms,
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n" + std::string(10000, 'c') + "\r\n0\r\n\r\n");
  e.receive(6ms, 7ms, kGet).send(8ms, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[0].request_bytes, 100000u);
  EXPECT_EQ(r.exchanges[0].response_bytes, 10000u);
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[0].taints, 0u);
  EXPECT_EQ(r.exchanges[1].response_bytes, 9u);
}

TEST(HardCases, h22_chunk_headers_not_captured_are_not_invented) {
  Scenario s;
  s.keep_payload(64, 16);
  Endpoint& e = s.open(0ms);
  std::string many = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 10; ++i) many += "64\r\n" + std::string(100, 'c') + "\r\n";
  e.receive(1ms, 2ms, kGet).send(3ms, many + "0\r\n\r\n");
  e.receive(6ms, 7ms, kGet).send(8ms, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  const auto& x = r.exchanges[0];
  EXPECT_EQ(x.status, 200);
  EXPECT_FALSE(x.response_bytes);
  EXPECT_TRUE(has(x.taints, Taint::end_inferred) && has(x.taints, Taint::payload_cut)) << synth::describe(x);
  EXPECT_EQ(x.response.last_done, kStart + 3ms);
  EXPECT_EQ(r.exchanges[1].status, 404);
  EXPECT_TRUE(r.exchanges[1].complete);
}

TEST(HardCases, h22_head_longer_than_what_was_captured) {
  Scenario s;
  s.keep_payload(128, 16);
  Endpoint& e = s.open(0ms);
  for (int i = 0; i < 3; ++i) {
    e.receive(10ms * i + 1ms, 10ms * i + 2ms,
              "GET /long HTTP/1.1\r\nHost: h\r\nCookie: " + std::string(500, 'c') + "\r\n\r\n");
    e.send(10ms * i + 3ms, "HTTP/1.1 20" + std::to_string(i) + " OK\r\nContent-Length: 1\r\n\r\nx");
  }
  e.fin_arrives(100ms).eof(101ms).shut_down(102ms).close(103ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const auto& x = r.exchanges[i];
    EXPECT_EQ(x.target, "/long");
    EXPECT_EQ(x.authority, "h");
    EXPECT_EQ(x.status, 200 + i);
    EXPECT_FALSE(x.request_headers_complete);
    EXPECT_FALSE(x.request_bytes);
    EXPECT_TRUE(has(x.taints, Taint::payload_cut) && has(x.taints, Taint::end_inferred)) << synth::describe(x);
    EXPECT_TRUE(x.complete);
  }
  EXPECT_EQ(r.findings[model::Finding::head_cut], 3u);
}

}  // namespace
}  // namespace tailcap
