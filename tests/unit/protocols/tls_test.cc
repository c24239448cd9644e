// Handshakes from records: the reported facts, and that they do not depend on how the bytes were moved.
#include <gtest/gtest.h>

#include <vector>

#include "analyze/protocols/protocols.h"
#include "tests/unit/protocols/tls_wire.h"

namespace tailcap::tls_test {
namespace {

using model::Direction;
using model::End;
using model::TlsFailure;
using model::TlsOutcome;
using namespace wire;

struct Said {
  bool client = true;
  std::string bytes;
};

struct Told {
  std::vector<model::TlsFacts> handshakes;
  std::size_t closed = 0, others = 0;
};

// Feeds a connection as one of its ends saw it; each say() is 10 later than the previous one.
class Connection {
 public:
  explicit Connection(bool client_end, bool first_known = true) : client_end_(client_end), first_known_(first_known) {}

  Connection& say(bool by_client, std::string_view bytes, std::vector<std::size_t> cuts = {},
                  std::size_t captured = SIZE_MAX) {
    now_ += 10;
    std::size_t from = 0;
    cuts.push_back(bytes.size());
    for (const std::size_t to : cuts) {
      if (to <= from || to > bytes.size()) continue;
      model::ByteRun run = next(by_client);
      run.length = to - from;
      run.head = bytes.substr(from, std::min(captured, to - from));
      push(run);
      from = to;
    }
    return *this;
  }
  Connection& lose(bool by_client, std::uint64_t n) {
    gap_[by_client] += n;
    return *this;
  }
  Connection& unseen(bool by_client, std::uint64_t n) {
    now_ += 10;
    model::ByteRun run = next(by_client);
    run.length = n;
    push(run);
    return *this;
  }
  Connection& end(bool by_client, End how = End::fin) {
    now_ += 10;
    model::ByteRun run = next(by_client);
    run.end = how;
    push(run);
    return *this;
  }
  Told over(End how = End::fin, bool client_first = true) {
    end(client_first, how);
    end(!client_first, how);
    return told_;
  }
  const Told& told() const { return told_; }

 private:
  model::ByteRun next(bool by_client) {
    model::ByteRun run;
    run.connection = 1;
    run.direction = by_client == client_end_ ? Direction::out : Direction::in;
    run.first_known = first_known_;
    run.gap = std::exchange(gap_[by_client], 0);
    run.offset = at_[by_client] + run.gap;
    run.done = formats::time_from(now_);
    run.thread = {7, 8};
    return run;
  }
  void push(model::ByteRun& run) {
    at_[run.direction == (client_end_ ? Direction::out : Direction::in)] = run.offset + run.length;
    const model::ArrivalMark mark{run.offset + run.length, formats::time_from(now_ - 5)};
    if (run.direction == Direction::in && run.length > 0) run.arrivals = {&mark, 1};
    for (const model::Message& m : parsers_.push(run)) {
      if (m.kind == model::MessageKind::handshake)
        told_.handshakes.push_back(*m.tls);
      else if (m.kind == model::MessageKind::closed)
        ++told_.closed;
      else
        ++told_.others;
    }
  }

  bool client_end_, first_known_;
  std::int64_t now_ = 0;
  std::uint64_t at_[2] = {0, 0}, gap_[2] = {0, 0};
  protocols::Parsers parsers_;
  Told told_;
};

std::string hello(bool tls13 = true) {
  Hello h;
  h.extensions =
      name_extension("shop.example") + alpn_extension("h2", "http/1.1") + (tls13 ? versions_extension() : "");
  return record(22, client_hello(h), 0x0301);
}
Hello chosen13(int cipher = 0x1302) {
  Hello h;
  h.extensions = chosen_version_extension();
  h.cipher = cipher;
  return h;
}
Hello chosen12(std::string session_id = std::string(32, 'n')) {
  Hello h;
  h.session_id = std::move(session_id);
  h.extensions = alpn_extension("http/1.1");
  return h;
}
std::string flight13(int cipher = 0x1302) {
  return record(22, server_hello(chosen13(cipher))) + change_cipher() + encrypted(40) + encrypted(900) +
         encrypted(280) + encrypted(69);
}
std::string flight12() {
  return record(22, server_hello(chosen12())) +
         record(22, message(11, std::string(900, 'c')) + message(12, std::string(300, 'k')) + message(14, ""));
}
const std::string kKeys12 = record(22, message(16, std::string(66, 'k')));
const std::string kFinished12 = record(22, std::string(40, 'f'));

std::vector<Said> full13() {
  return {{true, hello()},
          {false, flight13()},
          {true, change_cipher() + encrypted(69)},
          {true, encrypted(100)},
          {false, encrypted(500)}};
}
std::vector<Said> full12() {
  return {{true, hello(false)},
          {false, flight12()},
          {true, kKeys12 + change_cipher() + kFinished12},
          {false, change_cipher() + kFinished12},
          {true, encrypted(100)},
          {false, encrypted(500)}};
}

std::string text(const Told& told) {
  std::string out;
  for (const auto& f : told.handshakes) {
    out += std::string(name_of(f.outcome)) + " " + model::failure_text(f) + " " + model::tls_version(f.version) + " " +
           model::tls_cipher(f.cipher) + " " + f.server_name + " " + f.alpn_offered + " " + f.alpn + " " +
           (f.resumed ? *f.resumed ? "resumed" : "full" : "?") + (f.done_exact ? "" : " inexact") + " " +
           std::to_string(formats::nanoseconds(f.began)) + " " + std::to_string(formats::nanoseconds(f.answered)) +
           " " + std::to_string(formats::nanoseconds(f.done)) + "\n";
  }
  return out + std::to_string(told.closed) + " " + std::to_string(told.others);
}

Told run(const std::vector<Said>& talk, bool client_end, std::vector<std::size_t> cuts = {}) {
  Connection c(client_end);
  for (const Said& s : talk) c.say(s.client, s.bytes, cuts);
  return c.over();
}

TEST(Tls, Version13) {
  EXPECT_EQ(text(run(full13(), true)),
            "done  TLS 1.3 TLS_AES_256_GCM_SHA384 shop.example h2,http/1.1  full 10 15 30\n2 0");
  EXPECT_EQ(text(run(full13(), false)),
            "done  TLS 1.3 TLS_AES_256_GCM_SHA384 shop.example h2,http/1.1  full 5 20 30\n2 0");
}

TEST(Tls, Version12) {
  EXPECT_EQ(text(run(full12(), true)),
            "done  TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 shop.example h2,http/1.1 http/1.1 full 10 15 40\n2 0");
  EXPECT_EQ(text(run(full12(), false)),
            "done  TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 shop.example h2,http/1.1 http/1.1 full 5 20 40\n2 0");
}

TEST(Tls, CutAnywhereIsTheSame) {
  for (const auto& talk : {full13(), full12()}) {
    for (const bool client_end : {true, false}) {
      const std::string whole = text(run(talk, client_end));
      std::size_t longest = 0;
      for (const Said& s : talk) longest = std::max(longest, s.bytes.size());
      for (std::size_t at = 1; at < longest; ++at) ASSERT_EQ(text(run(talk, client_end, {at})), whole) << at;
      for (std::size_t at = 1; at < 120; ++at)
        ASSERT_EQ(text(run(talk, client_end, {at, at + 5, at + 6, at + 50})), whole) << at;
      std::vector<std::size_t> everywhere;
      for (std::size_t at = 1; at < longest; ++at) everywhere.push_back(at);
      EXPECT_EQ(text(run(talk, client_end, everywhere)), whole);
    }
  }
}

TEST(Tls, Resumed) {
  Hello h = chosen12(std::string(32, 's'));  // the client's own id, echoed
  const Told t = run({{true, hello(false)},
                      {false, record(22, server_hello(h)) + change_cipher() + kFinished12},
                      {true, change_cipher() + kFinished12}},
                     true);
  ASSERT_EQ(t.handshakes.size(), 1u);
  EXPECT_EQ(t.handshakes[0].resumed, true);
  EXPECT_EQ(t.handshakes[0].done, formats::time_from(30)) << "the client's own Finished is the later one";
  Hello psk = chosen13();
  psk.extensions += extension(41, be(0, 2));
  const Told u = run({{true, hello()},
                      {false, record(22, server_hello(psk)) + change_cipher() + encrypted(40) + encrypted(69)},
                      {true, change_cipher() + encrypted(69)}},
                     false);
  ASSERT_EQ(u.handshakes.size(), 1u);
  EXPECT_EQ(u.handshakes[0].resumed, true);
}

TEST(Tls, HelloRetryRequest) {
  Hello retry = chosen13();
  retry.random = kRetryRandom;
  const Told t = run({{true, hello()},
                      {false, record(22, server_hello(retry)) + change_cipher()},
                      {true, change_cipher() + hello()},
                      {false, record(22, server_hello(chosen13())) + encrypted(900) + encrypted(69)},
                      {true, encrypted(69)}},
                     true);
  ASSERT_EQ(t.handshakes.size(), 1u);
  EXPECT_TRUE(t.handshakes[0].retried);
  EXPECT_EQ(t.handshakes[0].outcome, TlsOutcome::done);
  EXPECT_EQ(t.handshakes[0].done, formats::time_from(50));
  EXPECT_EQ(t.handshakes[0].resumed, false);
}

TEST(Tls, ClientCertificateIsInferred) {
  auto talk = full13();
  talk[2].bytes = change_cipher() + encrypted(900) + encrypted(281) + encrypted(69);
  const Told t = run(talk, true);
  ASSERT_EQ(t.handshakes.size(), 1u);
  EXPECT_EQ(t.handshakes[0].outcome, TlsOutcome::done);
  EXPECT_FALSE(t.handshakes[0].done_exact);
}

TEST(Tls, AlertsThatCanBeRead) {
  const Told t = run({{true, hello(false)}, {false, flight12()}, {true, alert(2, 48)}}, true);
  ASSERT_EQ(t.handshakes.size(), 1u);
  EXPECT_EQ(t.handshakes[0].outcome, TlsOutcome::failed);
  EXPECT_EQ(model::failure_text(t.handshakes[0]), "unknown CA (alert 48) sent by the client");
  const Told u = run({{true, hello(false)}, {false, alert(2, 70)}}, false);
  ASSERT_EQ(u.handshakes.size(), 1u);
  EXPECT_EQ(model::failure_text(u.handshakes[0]), "protocol version (alert 70) sent by the server");
  EXPECT_FALSE(formats::known(u.handshakes[0].done));
}

TEST(Tls, AnEncryptedAlertHasNoNumber) {
  for (const bool client_end : {true, false}) {
    const Told t = run({{true, hello()}, {false, flight13()}, {true, change_cipher() + encrypted(19)}}, client_end);
    ASSERT_EQ(t.handshakes.size(), 1u);
    EXPECT_EQ(t.handshakes[0].failure, TlsFailure::encrypted_alert);
    EXPECT_EQ(model::failure_text(t.handshakes[0]), "an encrypted alert sent by the client");
  }
}

TEST(Tls, AWarningIsNoFailure) {
  auto talk = full12();
  talk.insert(talk.begin() + 1, {false, alert(1, 112)});  // unrecognized_name
  const Told t = run(talk, true);
  ASSERT_EQ(t.handshakes.size(), 1u);
  EXPECT_EQ(t.handshakes[0].outcome, TlsOutcome::done);
  EXPECT_FALSE(t.handshakes[0].alert);
}

TEST(Tls, EndsInTheMiddle) {
  Connection c(true);
  c.say(true, hello());
  const Told closed = c.over(End::fin, false);
  ASSERT_EQ(closed.handshakes.size(), 1u);
  EXPECT_EQ(model::failure_text(closed.handshakes[0]), "closed by the server during the handshake");
  Connection r(true);
  r.say(true, hello());
  EXPECT_EQ(r.over(End::reset).handshakes.at(0).failure, TlsFailure::reset);
  Connection e(true);
  e.say(true, hello());
  EXPECT_EQ(e.over(End::error).handshakes.at(0).failure, TlsFailure::error);
  Connection cut(true);
  cut.say(true, hello());
  const Told t = cut.over(End::capture);
  EXPECT_EQ(t.handshakes.at(0).outcome, TlsOutcome::cut_off);
  EXPECT_EQ(t.handshakes.at(0).failure, TlsFailure::none);
}

TEST(Tls, AnAnswerThatIsNotTls) {
  const Told t = run({{true, hello()}, {false, "HTTP/1.1 400 Bad Request\r\n\r\n"}}, false);
  ASSERT_EQ(t.handshakes.size(), 1u);
  EXPECT_EQ(t.handshakes[0].failure, TlsFailure::not_tls);
}

TEST(Tls, RecordsWithoutPayloadAreEnoughAfterwards) {
  Connection c(false);
  for (const Said& s : full13()) c.say(s.client, s.bytes);
  c.say(true, encrypted(16384), {5}, 5).say(false, encrypted(16384), {}, 5).unseen(true, 100'000);
  const Told t = c.over();
  ASSERT_EQ(t.handshakes.size(), 1u);
  EXPECT_EQ(t.handshakes[0].taints, 0u);
  EXPECT_EQ(t.closed, 2u);
}

// No loss may invent a failure or a time.
TEST(Tls, LostBytesMakeUnknownNotWrong) {
  for (const auto& talk : {full13(), full12()}) {
    for (const bool client_end : {true, false}) {
      const model::TlsFacts whole = run(talk, client_end).handshakes.at(0);
      for (std::size_t lost = 1; lost < talk.size(); ++lost) {
        for (const bool cut : {false, true}) {
          Connection c(client_end);
          for (std::size_t i = 0; i < talk.size(); ++i) {
            if (i != lost)
              c.say(talk[i].client, talk[i].bytes);
            else if (cut)
              c.say(talk[i].client, talk[i].bytes, {}, 7);
            else
              c.lose(talk[i].client, talk[i].bytes.size());
          }
          const Told t = c.over();
          ASSERT_EQ(t.handshakes.size(), 1u) << lost;
          const model::TlsFacts& f = t.handshakes[0];
          EXPECT_NE(f.outcome, TlsOutcome::failed) << lost << " " << model::failure_text(f);
          if (f.version != 0) {
            EXPECT_EQ(f.version, whole.version);
          }
          if (f.resumed) {
            EXPECT_EQ(f.resumed, whole.resumed) << lost;
          }
          if (formats::known(f.done) && f.done_exact) {
            EXPECT_EQ(f.done, whole.done) << lost << cut;
          }
          if (f.outcome != TlsOutcome::done || f.done != whole.done) {
            EXPECT_NE(f.taints, 0u);
          }
        }
      }
    }
  }
}

TEST(Tls, FoundInTheMiddle) {
  Connection c(false, false);
  c.unseen(true, 3000);
  c.say(true, encrypted(100) + encrypted(30)).say(false, encrypted(2000)).say(true, encrypted(50));
  const Told t = c.over(End::capture);
  ASSERT_EQ(t.handshakes.size(), 1u);
  EXPECT_TRUE(t.handshakes[0].began_before);
  EXPECT_EQ(t.handshakes[0].outcome, TlsOutcome::unknown);
}

TEST(Tls, OthersAreNotTakenForIt) {
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("\x16\x03\x09 no"),
                                   std::string("\x16\x03\x01\x00\x05\x07 no hello"), std::string("\x16")}) {
    Connection c(false);
    c.say(true, bytes);
    EXPECT_TRUE(c.over().handshakes.empty());
  }
}

TEST(Tls, BehindWhatAProxySays) {
  const std::string line = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
  std::string block("\r\n\r\n\0\r\nQUIT\n\x21\x11\1\x90", 16);
  block += std::string(400, '*');
  Hello asked;
  asked.extensions = name_extension("a.example");
  for (const std::string& before : {line, block, line + block}) {
    const std::string hello = before + record(22, client_hello(asked));
    for (std::size_t cut = 0; cut < hello.size(); ++cut) {
      Connection c(false);
      c.say(true, hello, {cut});
      c.say(false, record(22, server_hello()) + change_cipher() + record(22, std::string(40, 'f')));
      const Told told = c.over();
      ASSERT_EQ(told.handshakes.size(), 1u) << cut;
      EXPECT_EQ(told.handshakes[0].server_name, "a.example") << cut;
      EXPECT_EQ(told.closed, 2u) << cut;
    }
  }
}

}  // namespace
}  // namespace tailcap::tls_test
