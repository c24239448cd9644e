// Hard cases of unseen events: h13, h23 (the analyser's part), and recordings that begin or end in the middle.
#include <gtest/gtest.h>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"

namespace tailcap::hard_cases_loss_test {
namespace {

using namespace std::chrono_literals;
using formats::Direction;
using model::Finding;
using model::Outcome;
using model::Taint;
using synth::Endpoint;
using synth::kStart;
using synth::Opening;
using synth::Scenario;

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"; }
std::string answer(int status, const std::string& body = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

const model::Exchange* find(const synth::Result& r, const std::string& target) {
  for (const auto& x : r.exchanges)
    if (x.target == target) return &x;
  return nullptr;
}

TEST(HardCases, h13_a_lost_response) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, get("/a")).send(3ms, answer(200));
  e.receive(11ms, 12ms, get("/b")).lose_send(answer(201).size());
  e.receive(21ms, 22ms, get("/c")).send(23ms, answer(202));
  e.receive(31ms, 32ms, get("/d")).send(33ms, answer(203));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 4u) << synth::describe(r.exchanges);
  EXPECT_EQ(find(r, "/a")->status, 200);
  EXPECT_EQ(find(r, "/b")->status, 0);
  EXPECT_EQ(find(r, "/b")->outcome, Outcome::unknown);
  EXPECT_FALSE(find(r, "/b")->complete);
  EXPECT_TRUE(has(find(r, "/b")->taints, Taint::bytes_lost));
  EXPECT_EQ(find(r, "/c")->status, 202);
  EXPECT_TRUE(find(r, "/c")->complete);
  EXPECT_EQ(find(r, "/d")->status, 203);
  EXPECT_TRUE(find(r, "/d")->complete);
  EXPECT_EQ(find(r, "/d")->taints, 0u);
  EXPECT_EQ(r.findings[Finding::bytes_lost], answer(201).size());
  EXPECT_EQ(r.findings[Finding::resynchronised], 1u);
}

TEST(HardCases, h13_a_lost_request) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, get("/a")).send(3ms, answer(200));
  e.arrive(11ms, static_cast<std::uint32_t>(get("/b").size())).lose_read(get("/b").size()).send(13ms, answer(201));
  e.receive(21ms, 22ms, get("/c")).send(23ms, answer(202));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 3u) << synth::describe(r.exchanges);
  EXPECT_EQ(find(r, "/a")->status, 200);
  EXPECT_EQ(find(r, "/c")->status, 202);
  EXPECT_TRUE(find(r, "/c")->complete);
  EXPECT_EQ(find(r, "/b"), nullptr);
  EXPECT_EQ(r.exchanges[1].status, 201);
  EXPECT_EQ(r.exchanges[1].outcome, Outcome::unknown);
  EXPECT_EQ(r.exchanges[1].method, "");
}

TEST(HardCases, h13_bytes_lost_inside_a_body_with_length) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  const std::string a = answer(200, std::string(300, 'x'));
  e.receive(1ms, 2ms, get("/a")).send(3ms, a.substr(0, 100)).lose_send(100).send(5ms, a.substr(200));
  e.receive(21ms, 22ms, get("/c")).send(23ms, answer(202));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[0].response_bytes, 300u);
  EXPECT_TRUE(has(r.exchanges[0].taints, Taint::bytes_lost));
  EXPECT_FALSE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[0].response.last_done, kStart + 5ms);
  EXPECT_TRUE(r.exchanges[1].complete);
  EXPECT_EQ(r.exchanges[1].taints, 0u);
}

TEST(HardCases, h13_bytes_lost_inside_chunks) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, get("/a")).send(3ms, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  e.lose_send(105).send(5ms, "64\r\n" + std::string(100, 'c') + "\r\n0\r\n\r\n");
  e.receive(21ms, 22ms, get("/c")).send(23ms, answer(202));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u) << synth::describe(r.exchanges);
  EXPECT_EQ(r.exchanges[0].status, 200);
  EXPECT_FALSE(r.exchanges[0].response_bytes);
  EXPECT_FALSE(r.exchanges[0].complete);
  EXPECT_TRUE(has(r.exchanges[0].taints, Taint::bytes_lost));
  EXPECT_EQ(r.exchanges[1].status, 202);
}

TEST(HardCases, h13_pipelining_after_a_loss_is_not_guessed) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, get("/a") + get("/b") + get("/c"))
      .send(3ms, answer(200))
      .lose_send(answer(201).size())
      .send(5ms, answer(202));
  const auto r = synth::analyse(s.events());
  EXPECT_EQ(find(r, "/a")->status, 200);
  EXPECT_EQ(find(r, "/b")->status, 0);
  EXPECT_EQ(find(r, "/c")->status, 0);
  EXPECT_EQ(find(r, "/c")->outcome, Outcome::unknown);
}

TEST(HardCases, h13_the_last_event_was_lost) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, get("/a")).lose_send(answer(200).size());
  s.loss(2ms, 4ms, formats::Kind::send, 1);
  e.shut_down(5ms).close(6ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::unknown) << synth::describe(r.exchanges);
  EXPECT_TRUE(has(r.exchanges[0].taints, Taint::events_lost));
}

TEST(HardCases, h23_bytes_without_a_buffer_count_once) {
  Scenario s;
  s.keep_payload(256, 16);
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, get("/file")).send(3ms, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
  e.send_file(4ms, 60000).send_file(5ms, 40000);
  e.receive(11ms, 12ms, get("/next")).send(13ms, answer(202));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[0].response_bytes, 100000u);
  EXPECT_EQ(r.exchanges[0].response.last_done, kStart + 5ms);
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[0].taints, 0u);
  EXPECT_EQ(r.exchanges[1].status, 202);
}

TEST(HardCases, h23_partial_writes_and_failed_calls) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  const std::string a = answer(200, "0123456789");
  e.receive(1ms, 2ms, get("/a")).send(3ms, a.substr(0, 7)).send(4ms, a.substr(7, 30)).send(5ms, a.substr(37));
  e.receive(11ms, 12ms, get("/b")).fail(13ms, Direction::out, 32).reset(13ms, Direction::in).close(14ms, 104);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[0].response_bytes, 10u);
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[1].outcome, Outcome::reset);
}

TEST(HardCases, h23_a_head_that_was_not_captured_is_unknown) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.read_unseen(2ms, 60).send(3ms, answer(200));
  e.receive(11ms, 12ms, get("/b")).send(13ms, answer(201));
  const auto r = synth::analyse(s.events());
  ASSERT_NE(find(r, "/b"), nullptr) << synth::describe(r.exchanges);
  EXPECT_EQ(find(r, "/b")->status, 201);
  for (const auto& x : r.exchanges) EXPECT_EQ(x.outcome, x.target == "/b" ? Outcome::ok : Outcome::unknown);
}

TEST(HardCases, h23_the_fin_taken_with_the_last_bytes) {
  // The read's position is one too high because the FIN counts: no byte is missing.
  Scenario s;
  Opening o;
  o.origin = formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  const std::string a = answer(200, "tail");
  e.send(1ms, get("/a")).arrive(2ms, static_cast<std::uint32_t>(a.size())).fin_arrives(2ms);
  formats::Io io;
  io.socket = e.socket();
  io.direction = Direction::in;
  io.payload = formats::Payload::captured;
  io.length = static_cast<std::uint32_t>(a.size());
  io.position = o.in + 1;
  io.head = s.own(a);
  s.add(3ms, e.thread(), io);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_TRUE(r.exchanges[0].complete) << synth::describe(r.exchanges);
  EXPECT_EQ(r.findings[Finding::bytes_lost], 0u);
}

TEST(HardCases, recording_begins_in_the_middle) {
  Scenario s;
  Opening o;
  o.origin = formats::Origin::existed;
  Endpoint& e = s.open(0ms, o);
  e.send(1ms, "rest of a body that began before").send(2ms, "and more");
  e.receive(3ms, 4ms, get("/a")).send(5ms, answer(200));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].target, "/a");
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[0].taints, 0u);
  EXPECT_EQ(r.findings[Finding::resynchronised], 0u);
}

TEST(HardCases, a_response_to_an_unseen_request) {
  Scenario s;
  Opening o;
  o.origin = formats::Origin::existed;
  Endpoint& e = s.open(0ms, o);
  e.send(1ms, answer(500));
  e.receive(3ms, 4ms, get("/a")).send(5ms, answer(200));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u) << synth::describe(r.exchanges);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::unknown);
  EXPECT_TRUE(has(r.exchanges[0].taints, Taint::began_before));
  EXPECT_EQ(r.exchanges[1].target, "/a");
  EXPECT_EQ(r.exchanges[1].status, 200);
}

TEST(HardCases, recording_ends_in_the_middle) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, get("/a")).send(3ms, answer(200, "0123456789").substr(0, 45));
  Endpoint& f = s.open(0ms);
  f.receive(1ms, 2ms, get("/b"));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  for (const auto& x : r.exchanges) {
    EXPECT_EQ(x.outcome, Outcome::in_flight);
    EXPECT_FALSE(x.complete);
    EXPECT_TRUE(has(x.taints, Taint::cut_off));
  }
}

}  // namespace
}  // namespace tailcap::hard_cases_loss_test
