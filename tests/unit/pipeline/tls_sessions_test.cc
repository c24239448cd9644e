// Plaintext of TLS sessions as byte streams, bound by nested calls: h25 for libraries that make the socket calls.
#include <gtest/gtest.h>

#include "analyze/pipeline/pipeline.h"
#include "tests/unit/pipeline/tls_sessions_case.h"

namespace tailcap::tls_sessions {
namespace {

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

}  // namespace
}  // namespace tailcap::tls_sessions
