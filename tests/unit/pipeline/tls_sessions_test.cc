// Plaintext of TLS sessions as byte streams, bound by nested calls: h25 for libraries that make the socket calls.
#include <gtest/gtest.h>

#include <algorithm>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"
#include "tests/synth/tls_session.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using formats::Direction;
using formats::TlsLibrary;
using formats::TlsStepKind;
using model::BindingHow;
using model::Finding;
using model::Outcome;
using model::Taint;
using synth::Endpoint;
using synth::kStart;
using synth::Opening;
using synth::Scenario;
using synth::TlsSession;

constexpr formats::Thread kThread{100, 100}, kOther{100, 101};

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"; }
std::string answer(int status, const std::string& body = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

Opening opening(int n) {
  Opening o;
  o.remote = "10.0.0.2:" + std::to_string(40000 + n);
  return o;
}

// Every session as the streams report it, in order, and the resulting exchanges.
struct Seen {
  explicit Seen(const std::vector<formats::Event>& events) {
    synth::Chain chain;
    for (const auto& event : events) {
      chain.push(event, [&](const model::Exchange& x) { exchanges.push_back(x); });
      for (std::uint32_t id = 1; id <= chain.streams.connections(); ++id) {
        const model::Connection* c = chain.streams.connection(id);
        if (!c || !c->tls) continue;
        const auto at = std::find_if(sessions.begin(), sessions.end(), [&](const auto& s) { return s.id == id; });
        if (at == sessions.end())
          sessions.push_back(*c);
        else
          *at = *c;
      }
    }
    counts = chain.streams.tls();
    findings = chain.findings();
    std::sort(exchanges.begin(), exchanges.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  }
  std::vector<model::Connection> sessions;
  std::vector<model::Exchange> exchanges;
  model::TlsSessions counts;
  model::Findings findings;
};

TEST(TlsSessions, OneRequestOnItsSocket) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  t.read_from(e, 2ms, 3ms, get("/a"));
  t.write_to(e, 10ms, answer(200, "hello"));
  const Seen r(s.with_end());
  ASSERT_EQ(r.sessions.size(), 1u);
  EXPECT_EQ(r.sessions[0].how, BindingHow::nested);
  EXPECT_EQ(r.sessions[0].carrier, 1u);
  EXPECT_EQ(model::endpoint(r.sessions[0], true), "10.0.0.2:40001");
  EXPECT_TRUE(r.sessions[0].from_start);
  ASSERT_EQ(r.exchanges.size(), 1u);
  const model::Exchange& x = r.exchanges[0];
  EXPECT_EQ(x.id.connection, r.sessions[0].id);
  EXPECT_EQ(x.target, "/a");
  EXPECT_EQ(x.status, 200);
  EXPECT_TRUE(x.complete);
  // It arrived when the record's last byte was in the socket, not when it was decrypted.
  EXPECT_EQ(x.request.first_arrived, kStart + 2ms);
  EXPECT_EQ(x.request.first_done, kStart + 3ms + 3us);
  EXPECT_EQ(x.response.last_done, kStart + 10ms + 2us)
      << "sent when the socket had sent it, 1 µs before the call returned";
  EXPECT_FALSE(has(x.taints, Taint::arrival_unknown));
  EXPECT_EQ(r.counts.sessions, 1u);
  EXPECT_EQ(r.counts.nested, 1u);
}

// A response that ends with the connection: after close_notify a client closes without reading the FIN.
TEST(TlsSessions, AReadOfNothingIsTheEnd) {
  for (const bool failed : {false, true}) {
    Scenario s;
    Opening made = opening(1);
    made.origin = formats::Origin::connected;
    Endpoint& e = s.open(0ms, made);
    TlsSession t(s);
    t.handshake(1ms, kThread);
    t.write_to(e, 2ms, get("/a"));
    t.read_from(e, 3ms, 4ms, "HTTP/1.0 200 OK\r\n\r\nuntil the end");
    if (failed) t.step(5ms, kThread, formats::TlsStepKind::failed, 294);
    t.read(5ms, 6ms, kThread, "");
    t.freed(7ms, kThread);
    e.reset(8ms, formats::Direction::out);
    const Seen r(s.with_end());
    ASSERT_EQ(r.exchanges.size(), 1u);
    EXPECT_EQ(r.exchanges[0].complete, !failed);
    EXPECT_EQ(r.exchanges[0].outcome, failed ? model::Outcome::truncated : model::Outcome::ok);
  }
}

TEST(TlsSessions, RowsSayTlsAndTheSocketsEndpoints) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  t.read_from(e, 2ms, 3ms, get("/a"));
  t.write_to(e, 10ms, answer(200));
  const auto analysis = pipeline::analyze({}, s.with_end());
  ASSERT_EQ(analysis.table.rows.size(), 1u);
  const model::Request row = analysis.table.rows[0];
  EXPECT_TRUE(row.tls);
  EXPECT_EQ(analysis.table.texts[analysis.endpoints[row.id.connection].remote], "10.0.0.2:40001");
  EXPECT_EQ(row.start, kStart + 2ms);
  EXPECT_EQ(analysis.study.quality.tls.nested, 1u);
}

// The read that brought the second request was lost: the earlier arrivals are not its own.
TEST(TlsSessions, PlaintextWithoutAReadOfItsCarrierHasNoArrival) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  for (int n = 0; n < 4; ++n) {
    const auto at = n * 20ms;
    if (n == 2) {
      const auto length = static_cast<std::uint32_t>(synth::tls_record(get("/2").size()).size());
      e.arrive(at + 2ms, length).lose_read(length);
      t.read(at + 3ms, at + 3ms + 3us, kThread, get("/2"));
    } else {
      t.read_from(e, at + 2ms, at + 3ms, get("/" + std::to_string(n)));
    }
    t.write_to(e, at + 10ms, answer(200));
  }
  const Seen r(s.with_end());
  ASSERT_EQ(r.exchanges.size(), 4u);
  for (int n = 0; n < 4; ++n) {
    const model::Exchange& x = r.exchanges[static_cast<std::size_t>(n)];
    EXPECT_EQ(x.target, "/" + std::to_string(n));
    EXPECT_EQ(formats::known(x.request.first_arrived), n != 2) << n;
    EXPECT_EQ(has(x.taints, Taint::arrival_unknown), n == 2) << n;
    if (n != 2) {
      EXPECT_EQ(x.request.first_arrived, kStart + n * 20ms + 2ms);
    }
  }
}

// One segment brings two records; the second call gets its data from what the library has read ahead.
TEST(TlsSessions, h25_a_read_without_a_syscall) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  const std::string first = get("/a"), second = get("/b");
  e.receive(2ms, 3ms + 1us, synth::tls_record(first.size()) + synth::tls_record(second.size()));
  t.read(3ms, 3ms + 3us, kThread, first);
  t.write_to(e, 4ms, answer(200));
  t.read(9ms, 9ms + 1us, kThread, second);
  t.write_to(e, 10ms, answer(201));
  const Seen r(s.with_end());
  ASSERT_EQ(r.exchanges.size(), 2u);
  EXPECT_EQ(r.counts.nested, 1u);
  EXPECT_EQ(r.exchanges[1].request.first_arrived, kStart + 2ms);
  EXPECT_EQ(r.exchanges[1].request.first_done, kStart + 9ms + 1us);
  EXPECT_EQ(r.exchanges[1].status, 201);
}

// A non-blocking socket: calls that moved only part of a record make no event, but their socket calls do.
TEST(TlsSessions, h25_want_read_retries) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  const std::string plain = get("/a"), record = synth::tls_record(plain.size());
  e.arrive(2ms, 10).read(2ms + 1us, record.substr(0, 5)).read(2ms + 2us, record.substr(5, 5));
  e.arrive(5ms, static_cast<std::uint32_t>(record.size() - 10)).read(6ms + 1us, record.substr(10));
  t.read(6ms, 6ms + 3us, kThread, plain);
  t.write_to(e, 10ms, answer(200));
  const Seen r(s.with_end());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.counts.nested, 1u);
  // No part of a record can be read before its last byte has arrived.
  EXPECT_EQ(r.exchanges[0].request.first_arrived, kStart + 5ms);
}

// An incomplete write is retried: the second call sends only the rest.
TEST(TlsSessions, h25_want_write_retries) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  t.read_from(e, 2ms, 3ms, get("/a"));
  const std::string plain = answer(200, std::string(9000, 'x')), record = synth::tls_record(plain.size());
  e.send(10ms + 1us, record.substr(0, 3000));
  e.send(20ms + 1us, record.substr(3000));
  t.write(20ms, 20ms + 3us, kThread, plain);
  const Seen r(s.with_end());
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.counts.nested, 1u);
  EXPECT_EQ(r.exchanges[0].status, 200);
  EXPECT_TRUE(r.exchanges[0].complete);
}

TEST(TlsSessions, h25_one_session_on_two_threads) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  Endpoint& f = s.open(0ms, opening(2));
  TlsSession t(s), u(s);
  t.handshake(1ms, kThread);
  u.handshake(1ms, kOther);
  // Reads of one and writes of the other at the same time, on alternating threads.
  for (int i = 0; i < 5; ++i) {
    const auto at = 10ms * (i + 1);
    t.read_from(e.by(kThread), at, at + 1ms, get("/t"));
    u.read_from(f.by(kOther), at, at + 1ms, get("/u"));
    t.write_to(e.by(kOther), at + 5ms, answer(200));
    u.write_to(f.by(kThread), at + 5ms, answer(404));
  }
  const Seen r(s.with_end());
  ASSERT_EQ(r.sessions.size(), 2u);
  EXPECT_EQ(r.sessions[0].socket, e.socket());
  EXPECT_EQ(r.sessions[1].socket, f.socket());
  ASSERT_EQ(r.exchanges.size(), 10u);
  for (const auto& x : r.exchanges) EXPECT_EQ(x.status, x.target == "/t" ? 200 : 404);
}

TEST(TlsSessions, h25_kernel_tls) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  const std::string request = get("/a"), response = answer(200);
  e.arrive(2ms, static_cast<std::uint32_t>(request.size()))
      .read_unseen(3ms + 1us, static_cast<std::uint32_t>(request.size()));
  t.read(3ms, 3ms + 3us, kThread, request);
  e.send_file(5ms + 1us, static_cast<std::uint32_t>(response.size()));
  t.write(5ms, 5ms + 3us, kThread, response);
  const Seen r(s.with_end());
  ASSERT_EQ(r.sessions.size(), 1u);
  EXPECT_EQ(r.sessions[0].how, BindingHow::nested);
  EXPECT_EQ(r.exchanges.size(), 1u);
}

// A proxy: TLS to the far server inside TLS to the proxy. The outer session carries the inner.
TEST(TlsSessions, TlsInTls) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  TlsSession outer(s), inner(s);
  outer.handshake(1ms, kThread);
  inner.handshake(2ms, kThread);
  for (int i = 0; i < 3; ++i) {
    const auto at = 10ms * (i + 1);
    const std::string request = get("/a"), middle = synth::tls_record(request.size()),
                      wire = synth::tls_record(middle.size());
    e.send(at + 1us, wire);
    outer.write(at, at + 2us, kThread, middle);
    inner.write(at - 1us, at + 3us, kThread, request);
  }
  const Seen r(s.with_end());
  ASSERT_EQ(r.sessions.size(), 2u);
  EXPECT_EQ(r.sessions[0].carrier, 1u);
  EXPECT_EQ(r.sessions[1].carrier, r.sessions[0].id);
  EXPECT_EQ(r.sessions[1].socket, e.socket());
}

// A callback of the library calls another service: this call does not show which socket is the session's.
TEST(TlsSessions, TwoSocketsInOneCallSayNothing) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  Endpoint& other = s.open(0ms, opening(2));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  other.send(3ms + 1us, "lookup");
  t.read_from(e, 2ms, 3ms, get("/a"));
  const Seen r(s.with_end());
  ASSERT_EQ(r.sessions.size(), 1u);
  EXPECT_EQ(r.sessions[0].how, BindingHow::none);
  EXPECT_EQ(r.counts.unbound, 1u);
  EXPECT_EQ(r.findings[Finding::tls_unbound], 1u);
  ASSERT_EQ(r.exchanges.size(), 1u);  // still reconstructed
  EXPECT_EQ(r.exchanges[0].target, "/a");
  EXPECT_EQ(r.exchanges[0].request.first_arrived, formats::kNoTime);
}

TEST(TlsSessions, VotesForTwoSocketsBindNowhere) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  Endpoint& f = s.open(0ms, opening(2));
  TlsSession t(s);
  t.handshake(1ms, kThread);
  t.read_from(e, 2ms, 3ms, get("/a"));
  t.read_from(f, 4ms, 5ms, get("/a"));
  const Seen r(s.with_end());
  EXPECT_EQ(r.sessions[0].how, BindingHow::none);
  EXPECT_EQ(r.sessions[0].socket, 0u);
}

TEST(TlsSessions, h25_go_others_work_on_the_thread_meanwhile) {
  Scenario s;
  Endpoint& e = s.open(0ms, opening(1));
  Endpoint& f = s.open(0ms, opening(2));
  TlsSession t(s, TlsLibrary::go), u(s, TlsLibrary::go);
  t.handshake(1ms, kThread);
  u.handshake(1ms, kThread);
  for (int i = 0; i < 3; ++i) {
    const auto at = 10ms * (i + 1);
    const std::string a = get("/t"), b = get("/longer");
    // Both wait in Read; u's returns first, on the thread on which t's began.
    f.receive(at, at + 1us, synth::tls_record(b.size()));
    u.read(at - 5ms, at + 2us, kThread, b);
    e.receive(at + 1ms, at + 1ms + 1us, synth::tls_record(a.size()));
    t.read(at - 5ms, at + 1ms + 2us, kThread, a);
    u.write_to(f, at + 2ms, answer(202));
    t.write_to(e, at + 3ms, answer(200));
  }
  const Seen r(s.with_end());
  ASSERT_EQ(r.sessions.size(), 2u);
  EXPECT_EQ(r.sessions[0].socket, e.socket());
  EXPECT_EQ(r.sessions[1].socket, f.socket());
  for (const auto& x : r.exchanges) EXPECT_EQ(x.status, x.target == "/t" ? 200 : 202);
  EXPECT_EQ(r.exchanges[0].request.first_arrived, kStart + 11ms);
}

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
}  // namespace tailcap
