// TLS sessions that begin, end or lose plaintext while their carrier goes on, and both ends of one.
#include <gtest/gtest.h>

#include "analyze/pipeline/pipeline.h"
#include "tests/unit/pipeline/tls_sessions_case.h"

namespace tailcap::tls_sessions {
namespace {

TEST(TlsSessions, h25_lost_plaintext_is_a_gap) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  t.read_from(e, 2ms, 3ms, get("/a"));
  t.write_to(e, 4ms, answer(200));
  t.lose(Direction::in, get("/b").size());
  t.write_to(e, 6ms, answer(201));
  t.read_from(e, 7ms, 8ms, get("/c"));
  t.write_to(e, 9ms, answer(202));
  const Seen r(s.with_end());
  EXPECT_EQ(r.counts.nested, 1u);
  EXPECT_EQ(r.sessions[0].lost_in, get("/b").size());
  EXPECT_EQ(r.findings[Finding::bytes_lost], get("/b").size());
  const auto c = std::find_if(r.exchanges.begin(), r.exchanges.end(), [](const auto& x) { return x.target == "/c"; });
  ASSERT_NE(c, r.exchanges.end());
  EXPECT_EQ(c->request.first_arrived, kStart + 7ms);
  EXPECT_EQ(c->status == 202 || c->status == 0, true);
}

TEST(TlsSessions, h25_fork_two_sessions_on_one_socket) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  const formats::Thread child{200, 200};
  TlsSession parent(s), copy(s);
  parent.handshake(1ms, kThread);
  e.send(1ms + 500us, synth::tls_record(300, 0, 22));
  parent.read_from(e, 2ms, 3ms, get("/a"));
  copy.step(4ms, child, TlsStepKind::seen);
  copy.write_to(e.by(child), 5ms, answer(200));
  const Seen r(s.with_end());
  ASSERT_EQ(r.sessions.size(), 2u);
  EXPECT_EQ(r.sessions[0].carrier, r.sessions[1].carrier);
  EXPECT_FALSE(r.sessions[1].from_start);
}

TEST(TlsSessions, BeganBeforeTheRecording) {
  Scenario s;
  Opening o = opening(1);
  o.origin = formats::Origin::existed;
  Endpoint& e = s.open(0ms, o);
  TlsSession t(s), again(s);
  t.step(1ms, kThread, TlsStepKind::seen);
  t.read_from(e, 2ms, 3ms, get("/a"));
  t.write_to(e, 4ms, answer(200));
  const Seen r(s.with_end());
  EXPECT_EQ(r.counts.nested, 1u);
  EXPECT_FALSE(r.sessions[0].from_start);
  EXPECT_EQ(r.findings[Finding::connection_began_before] > 0, true);
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].target, "/a");
}

// A handshake on a connection older than the recording is not its first.
TEST(TlsSessions, RenegotiationIsNoBeginning) {
  Scenario s;
  Opening o = opening(1);
  o.origin = formats::Origin::existed;
  Endpoint& e = s.open(0ms, o);
  TlsSession t(s);
  t.handshake(1ms, kThread);
  t.read_from(e, 2ms, 3ms, get("/a"));
  const Seen r(s.with_end());
  EXPECT_EQ(r.counts.nested, 1u);
  EXPECT_FALSE(r.sessions[0].from_start);
}

// Some programs leave the handshake to reads and writes. Before the socket has sent anything there was no plaintext.
TEST(TlsSessions, UsedBeforeItsCarrierSentAnything) {
  for (const bool before : {true, false}) {
    Scenario s;
    Endpoint& e = s.open(0ms, opening(1));
    TlsSession t(s);
    t.step(before ? 1ms : 2ms, kThread, TlsStepKind::seen);
    e.send(1ms + 500us, synth::tls_record(300, 0, 22)).receive(2ms, 2ms + 1us, synth::tls_record(700, 0, 22));
    t.read_from(e, 3ms, 4ms, get("/a"));
    const Seen r(s.with_end());
    EXPECT_EQ(r.counts.nested, 1u);
    EXPECT_EQ(r.sessions[0].from_start, before);
    EXPECT_EQ(r.findings[Finding::connection_began_before], before ? 0u : 1u);
  }
}

TEST(TlsSessions, TheCarriersEndIsItsOwn) {
  for (const bool reset : {false, true}) {
    for (const bool freed_first : {false, true}) {
      Scenario s;
      Endpoint& e = s.open(0ms, opening(1));
      TlsSession t(s);
      t.handshake(1ms, kThread);
      t.read_from(e, 2ms, 3ms, get("/a"));
      if (freed_first) t.freed(9ms, kThread);
      if (reset)
        e.reset(10ms, Direction::in);
      else
        e.fin_arrives(10ms).eof(11ms);
      e.close(12ms);
      if (!freed_first) t.freed(13ms, kThread);
      s.off_cpu(kThread, {500ms, 500ms, 501ms});  // time passes
      const Seen r(s.with_end());
      ASSERT_EQ(r.exchanges.size(), 1u);
      EXPECT_EQ(r.exchanges[0].outcome, reset ? Outcome::reset : Outcome::no_response);
      EXPECT_EQ(r.sessions[0].reset_received, reset);
    }
  }
}

TEST(TlsSessions, FreedWhileItsCarrierLivesOn) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  t.read_from(e, 2ms, 3ms, get("/a"));
  t.freed(9ms, kThread);
  s.off_cpu(kThread, {500ms, 500ms, 501ms});
  const Seen r(s.events());  // the recording continues
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].outcome, Outcome::no_response);
  EXPECT_EQ(r.counts.sessions, 1u);
}

// Data that the library holds can be read long after the connection ended.
TEST(TlsSessions, PlaintextAfterTheCarriersEnd) {
  Scenario s;
  Opening o = opening(1);
  o.origin = formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  TlsSession t(s);
  t.handshake(1ms, kThread);
  t.write_to(e, 2ms, get("/a"));
  const std::string response = answer(200, std::string(1000, 'x'));
  e.receive(5ms, 6ms + 1us, synth::tls_record(response.size()));
  t.read(6ms, 6ms + 2us, kThread, response.substr(0, 400));
  e.fin_arrives(7ms).eof(8ms).close(9ms);
  t.read(2000ms, 2000ms + 1us, kThread, response.substr(400));
  t.freed(2001ms, kThread);
  const Seen r(s.with_end());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_TRUE(r.exchanges[0].complete);
  EXPECT_EQ(r.exchanges[0].response.last_done, kStart + 2000ms + 1us);
  EXPECT_EQ(r.exchanges[0].response.last_arrived, kStart + 5ms);
}

TEST(TlsSessions, BothEndsFindEachOther) {
  Scenario s;
  const formats::Thread server_thread{300, 300};
  auto [client, server] = s.loopback(0ms, Opening{}, server_thread);
  TlsSession c(s), d(s);
  c.handshake(1ms, client.thread());
  d.handshake(1ms, server_thread);
  for (int i = 0; i < 3; ++i) {
    const auto at = 10ms * (i + 1);
    c.write_to(client, at, get("/a"));
    d.read_from(server, at + 10us, at + 1ms, get("/a"));
    d.write_to(server, at + 2ms, answer(200));
    c.read_from(client, at + 2ms + 10us, at + 3ms, answer(200));
  }
  const auto analysis = pipeline::analyze({}, s.with_end());
  ASSERT_EQ(analysis.table.rows.size(), 6u);
  for (const model::Request row : analysis.table.rows) {
    EXPECT_NE(row.peer.connection, 0u);
    EXPECT_EQ(row.peer.index, row.id.index);
    EXPECT_TRUE(row.tls);
  }
}

TEST(TlsSessions, NumbersOfSessionsAndSocketsMayBeTheSame) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession t(s, TlsLibrary::openssl, e.socket());
  t.handshake(1ms, kThread);
  t.read_from(e, 2ms, 3ms, get("/a"));
  t.write_to(e, 4ms, answer(200));
  const Seen r(s.with_end());
  EXPECT_EQ(r.counts.nested, 1u);
  EXPECT_EQ(r.exchanges.size(), 1u);
}

}  // namespace
}  // namespace tailcap::tls_sessions
