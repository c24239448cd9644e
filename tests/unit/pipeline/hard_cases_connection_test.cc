// Hard cases of connections: h07, h08, h20, h24, h28, h29, h31.
#include <gtest/gtest.h>

#include <random>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"

namespace tailcap::hard_cases_connection_test {
namespace {

using namespace std::chrono_literals;
using model::Finding;
using model::Outcome;
using synth::Endpoint;
using synth::kStart;
using synth::Opening;
using synth::Scenario;

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"; }
std::string answer(int status, const std::string& body = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

TEST(HardCases, h07_pipelining_three_requests_in_one_write) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, get("/slow") + get("/b") + get("/c"));
  e.send(100ms, answer(200)).send(101ms, answer(201)).send(102ms, answer(202));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 3u);
  EXPECT_EQ(r.exchanges[0].predecessor_done, formats::kNoTime);
  EXPECT_EQ(r.exchanges[1].predecessor_done, kStart + 100ms);
  EXPECT_EQ(r.exchanges[2].predecessor_done, kStart + 101ms);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(r.exchanges[i].status, 200 + i);
    EXPECT_EQ(r.exchanges[i].request.first_arrived, kStart + 1ms);
    EXPECT_TRUE(r.exchanges[i].complete);
  }
  EXPECT_EQ(r.findings[Finding::pipelined], 2u);
}

TEST(HardCases, h07_a_late_stamp_is_not_pipelining) {
  // On loopback the client has the response, and its next request arrives, before the server's send returns.
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, get("/a")).arrive(10ms, static_cast<std::uint32_t>(get("/b").size()));
  e.send(10ms + 5us, answer(200)).read(11ms, get("/b")).send(12ms, answer(201));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[1].predecessor_done, formats::kNoTime);
  EXPECT_EQ(r.exchanges[1].request.first_arrived, kStart + 10ms);
  EXPECT_EQ(r.findings[Finding::pipelined], 0u);
}

TEST(HardCases, h08_websocket_after_101) {
  for (const bool server : {true, false}) {
    Scenario s;
    Opening o;
    o.origin = server ? formats::Origin::accepted : formats::Origin::connected;
    Endpoint& e = s.open(0ms, o);
    const std::string ask = "GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const std::string yes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    const std::string frame = "GET / HTTP/1.1\r\nHost: looks-like-a-request\r\n\r\n";
    if (server) {
      e.receive(1ms, 2ms, ask).send(3ms, yes);
      e.receive(4ms, 5ms, frame).receive(6ms, 7ms, frame).send(8ms, std::string(300, 'w'));
      e.shut_down(10ms).close(11ms);
    } else {
      e.send(1ms, ask).receive(2ms, 3ms, yes + "first");
      e.send(4ms, frame).send(6ms, frame).receive(7ms, 8ms, std::string(295, 'w'));
      e.fin_arrives(10ms).eof(11ms).shut_down(12ms).close(13ms);
    }
    const auto r = synth::analyse(s.events());
    ASSERT_EQ(r.exchanges.size(), 1u) << synth::describe(r.exchanges);
    const auto& x = r.exchanges[0];
    EXPECT_EQ(x.outcome, Outcome::upgraded);
    EXPECT_EQ(x.status, 101);
    EXPECT_EQ(server ? x.opaque_in : x.opaque_out, 2 * frame.size());
    EXPECT_EQ(server ? x.opaque_out : x.opaque_in, 300u);
    EXPECT_EQ(x.response.last_done, kStart + 3ms);
    EXPECT_TRUE(x.complete);
  }
}

TEST(HardCases, h08_frames_sent_before_the_101_was_read) {
  Scenario s;
  Opening o;
  o.origin = formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  e.send(1ms, "GET /ws HTTP/1.1\r\nUpgrade: x\r\n\r\n").send(2ms, "\x01\x02 binary");
  e.receive(3ms, 4ms, "HTTP/1.1 101 OK\r\n\r\n");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].opaque_out, 9u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::upgraded);
}

TEST(HardCases, h08_connect) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n").send(3ms, "HTTP/1.1 200 Connected\r\n\r\n");
  e.receive(4ms, 5ms, "hello").send(6ms, "world!").shut_down(7ms).close(8ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::upgraded);
  EXPECT_EQ(r.exchanges[0].authority, "db:5432");
  EXPECT_EQ(r.exchanges[0].opaque_in, 5u);
  EXPECT_EQ(r.exchanges[0].opaque_out, 6u);
}

TEST(HardCases, h08_refused_upgrade_goes_on_as_http) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n" + get("/next"));
  e.send(3ms, answer(426)).send(4ms, answer(200));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::client_error);
  EXPECT_EQ(r.exchanges[1].target, "/next");
  EXPECT_EQ(r.exchanges[1].status, 200);
}

TEST(HardCases, h20_half_close_is_complete) {
  // At the server the FIN comes before the answer. The client shuts down and continues to read.
  Scenario s;
  auto [client, server] = s.loopback(0ms, {}, {200, 200});
  client.send(1ms, get("/h")).shut_down(1ms + 10us);
  server.receive(1ms + 5us, 2ms, get("/h")).fin_arrives(2ms).eof(3ms);
  server.send(50ms, answer(200, "late")).shut_down(51ms).close(52ms);
  client.receive(50ms, 51ms, answer(200, "late"));
  client.state(51ms, formats::TcpState::fin_wait2, formats::TcpState::close).eof(53ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  for (const auto& x : r.exchanges) {
    EXPECT_EQ(x.outcome, Outcome::ok) << synth::describe(x);
    EXPECT_TRUE(x.complete);
    EXPECT_EQ(x.response_bytes, 4u);
  }
}

TEST(HardCases, h20_data_read_after_the_socket_is_closed_by_the_peer) {
  // Both FINs have passed, the socket is in CLOSE, and its owner reads the rest of the buffer seconds later.
  Scenario s;
  Opening o;
  o.origin = formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  e.send(1ms, get("/h")).shut_down(2ms).arrive(3ms, static_cast<std::uint32_t>(answer(200, "late").size()));
  e.close(4ms).read(9s, answer(200, "late")).eof(9s + 1ms);
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::ok);
  EXPECT_EQ(r.exchanges[0].response.first_arrived, kStart + 3ms);
  EXPECT_EQ(r.exchanges[0].response.first_done, kStart + 9s);
}

TEST(HardCases, h24_identity_is_the_socket) {
  // Different sockets with the same thread, addresses and descriptor. And one socket used by two processes.
  Scenario s;
  Endpoint& a = s.open(0ms);
  a.receive(1ms, 2ms, get("/one"));
  Endpoint& b = s.open(2ms);
  b.receive(3ms, 4ms, get("/two")).by({300, 301}).send(5ms, answer(202));
  a.by({400, 401}).send(6ms, answer(201));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[0].target, "/one");
  EXPECT_EQ(r.exchanges[0].status, 201);
  EXPECT_EQ(r.exchanges[0].reader.pid, 100u);
  EXPECT_EQ(r.exchanges[0].writer.pid, 400u);
  EXPECT_EQ(r.exchanges[1].target, "/two");
  EXPECT_EQ(r.exchanges[1].status, 202);
  EXPECT_EQ(r.exchanges[1].writer.tid, 301u);
}

TEST(HardCases, h28_idle_keep_alive_is_not_latency) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, get("/a")).send(3ms, answer(200));
  e.receive(60s, 60s + 1ms, get("/b")).send(60s + 5ms, answer(200));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.exchanges[1].request.first_arrived, kStart + 60s);
  EXPECT_EQ(r.exchanges[1].request.first_done, kStart + 60s + 1ms);
  EXPECT_EQ(r.exchanges[1].predecessor_done, formats::kNoTime);
}

// Requests on a few connections, at both ends, with times in the true order.
void traffic(Scenario& s, std::mt19937_64& random) {
  for (int c = 0; c < 4; ++c) {
    Opening o;
    o.remote = "10.0.0.2:" + std::to_string(40000 + c);
    auto [client, server] = s.loopback(0ms, o, {200, 200});
    formats::Duration t = 1ms;
    for (int i = 0; i < 12; ++i) {
      const auto step = [&] { return t += formats::Duration(50'000 + random() % 400'000); };
      const std::string q = get("/" + std::to_string(c) + "/" + std::to_string(i));
      const std::string a = answer(400 + i, std::string(random() % 50, 'b'));
      const std::size_t cut = 1 + random() % (q.size() - 1);
      client.send(step(), q);
      const formats::Duration at[] = {step(), step(), step(), step(), step(), step(), step(), step()};
      server.receive(at[0], at[1], q.substr(0, cut)).receive(at[2], at[3], q.substr(cut));
      server.send(at[4], a.substr(0, 20)).send(at[5], a.substr(20));
      client.receive(at[6], at[7], a);
    }
    server.shut_down(t + 1ms).close(t + 2ms);
    client.fin_arrives(t + 1ms).eof(t + 2ms).shut_down(t + 3ms).close(t + 4ms);
  }
}

TEST(HardCases, h29_events_of_a_socket_out_of_order) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    Scenario s;
    traffic(s, random);
    const auto sorted = s.with_end();
    const auto truth = synth::analyse(sorted);
    ASSERT_EQ(truth.exchanges.size(), 4u * 12u * 2u);
    // Each event may appear up to 20 ms late; descriptions come first, the end last.
    std::vector<std::pair<formats::Time, std::size_t>> order;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      const bool fixed = std::holds_alternative<formats::SocketInfo>(sorted[i].body);
      const bool last = std::holds_alternative<formats::CaptureEnd>(sorted[i].body);
      order.emplace_back(sorted[i].time + (fixed ? 0ms : last ? 10s : formats::Duration(random() % 20'000'000)), i);
    }
    std::sort(order.begin(), order.end());
    std::vector<formats::Event> shuffled;
    for (const auto& [t, i] : order) shuffled.push_back(sorted[i]);
    const auto r = synth::analyse(shuffled);
    EXPECT_EQ(synth::describe(r.exchanges), synth::describe(truth.exchanges)) << "seed " << seed;
    EXPECT_EQ(r.findings[Finding::negative_interval], 0u);
    EXPECT_EQ(r.findings[Finding::bytes_lost], 0u);
  }
}

TEST(HardCases, h29_a_send_stamped_after_its_answer_makes_no_negative_interval) {
  Scenario s;
  Opening o;
  o.origin = formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  const std::string a = answer(200, "x");
  // In time order: the answer arrives, another thread reads it, then the send returns.
  e.arrive(3ms, static_cast<std::uint32_t>(a.size())).by({100, 102}).read(4ms, a).by({100, 101}).send(5ms, get("/q"));
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  const auto& x = r.exchanges[0];
  EXPECT_EQ(x.status, 200);
  EXPECT_TRUE(x.complete);
  EXPECT_EQ(x.request.first_done, kStart + 3ms);
  EXPECT_EQ(x.request.last_done, kStart + 3ms);
  EXPECT_EQ(x.response.first_arrived, kStart + 3ms);
  EXPECT_EQ(x.response.first_done, kStart + 4ms);
  EXPECT_EQ(r.findings[Finding::negative_interval], 0u);
}

TEST(HardCases, h31_the_same_events_give_the_same_exchanges) {
  std::mt19937_64 random(7);
  Scenario s;
  traffic(s, random);
  const auto events = s.with_end();
  const std::string once = synth::describe(synth::analyse(events).exchanges);
  EXPECT_EQ(once, synth::describe(synth::analyse(events).exchanges));
  EXPECT_FALSE(once.empty());
}

}  // namespace
}  // namespace tailcap::hard_cases_connection_test
