// Binding by lengths: libraries that work on memory, in event loops. A session may stay unbound; a wrong binding fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "analyze/streams/streams.h"
#include "analyze/streams/tls_records.h"
#include "analyze/streams/tls_votes.h"
#include "tests/synth/scenario.h"
#include "tests/synth/tls_session.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using model::BindingHow;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::TlsSession;

constexpr formats::Thread kLoop{100, 100};

// One thread with many connections.
class EventLoop {
 public:
  explicit EventLoop(int connections, std::uint64_t seed = 1) : random_(seed) {
    for (int i = 0; i < connections; ++i) {
      Opening o;
      o.remote = "10.0." + std::to_string(i / 200) + "." + std::to_string(i % 200 + 1) + ":40000";
      sockets_.push_back(&s.open(tick(), o));
      sessions_.emplace_back(s);
      // The handshake goes through the same memory; it has records of application data that are never read (TLS 1.3).
      sockets_.back()->receive(tick(), tick(), synth::tls_record(200, 0, 22));
      sockets_.back()->send(tick(), synth::tls_record(90, 0, 22) + synth::tls_record(1000) + synth::tls_record(52));
      sessions_.back().handshake(tick(), kLoop);
      sockets_.back()->receive(tick(), tick(), synth::tls_record(52));
      sessions_.back().handshake(tick(), kLoop);
      sockets_.back()->send(tick(), synth::tls_record(238));  // a session ticket
    }
  }
  void receive(int i, std::size_t plain) { sockets_[i]->receive(tick(), tick(), synth::tls_records(plain)); }
  void decrypt(int i, std::size_t plain) {
    const auto began = tick();
    sessions_[i].read(began, tick(), kLoop, std::string(plain, 'r'));
  }
  void encrypt(int i, std::size_t plain) {
    const auto began = tick();
    sessions_[i].write(began, tick(), kLoop, std::string(plain, 'w'));
  }
  void send(int i, std::size_t plain) { sockets_[i]->send(tick(), synth::tls_records(plain)); }
  void pause(formats::Duration d) { now_ += d; }
  formats::Duration tick() { return now_ += 1us; }
  std::mt19937_64& random() { return random_; }
  int any() { return static_cast<int>(random_() % sockets_.size()); }

  // Expects every bound session to be bound to its own socket, and returns the number of bound sessions.
  int bound() {
    streams::Streams streams;
    std::map<formats::TlsSessionId, model::Connection> seen;
    const auto note = [&](model::ConnectionId id) {
      const model::Connection* c = streams.connection(id);
      if (c && c->tls) seen[c->session] = *c;
    };
    for (const auto& event : s.with_end())
      for (const model::ByteRun& run : streams.push(event)) note(run.connection);
    int n = 0;
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      const auto at = seen.find(sessions_[i].id());
      if (at == seen.end() || at->second.how == BindingHow::none) continue;
      EXPECT_EQ(at->second.how, BindingHow::lengths);
      EXPECT_EQ(at->second.socket, sockets_[i]->socket()) << "session " << i;
      ++n;
    }
    EXPECT_EQ(streams.tls().lengths, static_cast<std::uint64_t>(n));
    return n;
  }

  Scenario s;

 private:
  std::mt19937_64 random_;
  formats::Duration now_{1ms};
  std::vector<Endpoint*> sockets_;
  std::vector<TlsSession> sessions_;
};

// asyncio, libuv: read a socket, decrypt, answer, send; then the next socket. All requests and answers are alike.
TEST(TlsBinding, h25_a_thousand_sockets_in_one_loop) {
  EventLoop loop(1000);
  for (int n = 0; n < 5000; ++n) {
    const int i = n < 2000 ? n % 1000 : loop.any();
    loop.receive(i, 100);
    loop.decrypt(i, 100);
    loop.encrypt(i, 300);
    loop.send(i, 300);
  }
  EXPECT_EQ(loop.bound(), 1000);
}

// Answers to several requests come later, in any order; only adjacency distinguishes the requests' bytes.
TEST(TlsBinding, AnswersLater) {
  EventLoop loop(50);
  std::vector<int> open;
  for (int n = 0; n < 2000; ++n) {
    const int i = loop.any();
    if (std::find(open.begin(), open.end(), i) == open.end()) {
      loop.receive(i, 100);
      loop.decrypt(i, 100);
      open.push_back(i);
    }
    if (open.size() > 10) {
      const auto at = open.begin() + static_cast<std::ptrdiff_t>(loop.random()() % open.size());
      loop.encrypt(*at, 300);
      loop.send(*at, 300);
      open.erase(at);
    }
  }
  EXPECT_EQ(loop.bound(), 50);
}

// A loop that reads all sockets before it decrypts: only lengths distinguish them.
TEST(TlsBinding, BatchesAreToldByLengthOrNotAtAll) {
  for (const bool alike : {true, false}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      EventLoop loop(20, seed);
      for (int n = 0; n < 50; ++n) {
        std::vector<int> batch;
        while (batch.size() < 5)
          if (const int i = loop.any(); std::find(batch.begin(), batch.end(), i) == batch.end()) batch.push_back(i);
        const auto length = [&](int i) { return alike ? 100u : 100u + 50u * static_cast<unsigned>(i); };
        for (const int i : batch) loop.receive(i, length(i));
        std::shuffle(batch.begin(), batch.end(), loop.random());
        for (const int i : batch) loop.decrypt(i, length(i));
        std::shuffle(batch.begin(), batch.end(), loop.random());
        for (const int i : batch) loop.encrypt(i, 2 * length(i));
        std::shuffle(batch.begin(), batch.end(), loop.random());
        for (const int i : batch) loop.send(i, 2 * length(i));
      }
      const int n = loop.bound();
      EXPECT_TRUE(alike ? n == 0 : n >= 19) << n;
    }
  }
}

// One behind: each decryption is of the previous read. It must not look as if each belonged to the next.
TEST(TlsBinding, OneBehind) {
  EventLoop loop(10);
  int before = 0;
  loop.receive(0, 100);
  for (int n = 1; n < 500; ++n) {
    loop.receive(n % 10, 100);
    loop.decrypt(before, 100);
    before = n % 10;
  }
  EXPECT_EQ(loop.bound(), 0);
}

// Any mixture of the above, with pauses.
TEST(TlsBinding, RandomInterleavingsAreNeverWrong) {
  int bound = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    EventLoop loop(12, seed);
    std::vector<int> unread, unanswered, unsent;
    const auto take = [&](std::vector<int>& from) {
      const auto at = from.begin() + static_cast<std::ptrdiff_t>(loop.random()() % from.size());
      const int i = *at;
      from.erase(at);
      return i;
    };
    const std::size_t kinds = 1 + seed % 3;
    const auto length = [&](int i) { return 100 + 10 * (static_cast<std::size_t>(i) % kinds); };
    const unsigned eagerness = 2 + seed % 6;  // how readily it continues what it has begun
    for (int n = 0; n < 1500; ++n) {
      const unsigned what = loop.random()() % (eagerness + 1);
      if (what > 0 && !unsent.empty()) {
        const int i = take(unsent);
        loop.send(i, 2 * length(i));
      } else if (what > 0 && !unanswered.empty()) {
        const int i = take(unanswered);
        loop.encrypt(i, 2 * length(i));
        unsent.push_back(i);
      } else if (what > 0 && !unread.empty()) {
        const int i = take(unread);
        loop.decrypt(i, length(i));
        unanswered.push_back(i);
      } else {
        const int i = loop.any();
        const auto in = [&](const std::vector<int>& v) { return std::find(v.begin(), v.end(), i) != v.end(); };
        if (in(unread) || in(unanswered) || in(unsent)) continue;
        loop.receive(i, length(i));
        unread.push_back(i);
      }
      if (loop.random()() % 500 == 0) loop.pause(300ms);
    }
    bound += loop.bound();
  }
  EXPECT_GT(bound, 500);
}

TEST(TlsBinding, OneRecordReadInPieces) {
  EventLoop loop(2);
  for (int n = 0; n < 3; ++n)
    for (int i = 0; i < 2; ++i) {
      loop.receive(i, 5000);
      loop.decrypt(i, 4096);
      loop.decrypt(i, 904);
    }
  EXPECT_EQ(loop.bound(), 2);
}

TEST(TlsBinding, LongWritesInManyRecords) {
  EventLoop loop(3);
  for (int n = 0; n < 2; ++n)
    for (int i = 0; i < 3; ++i) {
      loop.encrypt(i, 100'000);
      loop.send(i, 100'000);
    }
  EXPECT_EQ(loop.bound(), 3);
}

TEST(TlsBinding, WritesGatheredInOneSend) {
  EventLoop loop(2);
  for (int i = 0; i < 2; ++i) {
    loop.encrypt(i, 300);
    loop.encrypt(i, 7000);
    Scenario& s = loop.s;
    (void)s;
    loop.send(i, 300);
    loop.send(i, 7000);
  }
  EXPECT_EQ(loop.bound(), 2);
}

TEST(TlsRecords, WhereverThePiecesAreCut) {
  const std::string bytes = synth::tls_record(50, 0, 22) + synth::tls_record(100) + synth::tls_record(0) +
                            synth::tls_record(16384) + synth::tls_record(7);
  for (std::size_t cut = 1; cut < 400; ++cut) {
    streams::RecordTracker reader;
    std::vector<std::uint32_t> records;
    std::uint32_t position = 0xffffff00u;
    for (std::size_t at = 0; at < bytes.size(); at += cut) {
      formats::Io io;
      io.position = position;
      io.head = std::string_view(bytes).substr(at, cut);
      io.length = static_cast<std::uint32_t>(io.head.size());
      position += io.length;
      reader.push(io, records);
    }
    if (cut < 5)
      EXPECT_TRUE(records.empty());  // no piece begins with a complete header
    else
      EXPECT_EQ(records, (std::vector<std::uint32_t>{117, 17, 16401, 24})) << cut;
  }
}

TEST(TlsRecords, LossesCostTheBordersUntilAPieceBeginsWithOne) {
  streams::RecordTracker reader;
  std::vector<std::uint32_t> records;
  const auto push = [&](std::uint64_t position, const std::string& bytes) {
    formats::Io io;
    io.position = position;
    io.head = bytes;
    io.length = static_cast<std::uint32_t>(bytes.size());
    reader.push(io, records);
  };
  push(0, synth::tls_record(100));
  push(500, std::string(100, '\xe7'));  // after a gap, inside a record
  push(600, synth::tls_record(30));
  EXPECT_EQ(records, (std::vector<std::uint32_t>{117, 47}));
}

TEST(Ledger, WhatCannotBeToldApartCountsForNobodyUntilAllIsTaken) {
  streams::Ledger ledger;
  const auto at = formats::time_from(1'000'000'000);
  ledger.offer(1, 117, at);
  ledger.offer(2, 117, at);
  EXPECT_EQ(ledger.claim(100, false, at).owner, 0u);
  ledger.offer(3, 117, at);
  EXPECT_EQ(ledger.claim(100, false, at).owner, 0u);  // 1, 2 or 3
  EXPECT_EQ(ledger.claim(100, false, at).owner, 0u);
  ledger.offer(4, 117, at);
  const auto claim = ledger.claim(100, false, at);
  EXPECT_EQ(claim.owner, 4u);
  EXPECT_EQ(claim.overhead, 17u);
}

TEST(Ledger, TooManyOffersAreNotTrusted) {
  streams::Ledger ledger;
  const auto at = formats::time_from(1'000'000'000);
  for (std::size_t i = 0; i <= streams::kMaxOffers; ++i) ledger.offer(1 + i, 117, at);
  EXPECT_EQ(ledger.claim(100, false, at).owner, 0u);  // the remaining one may not be the only one
}

TEST(Tally, VotesOfDifferentCiphersAreNone) {
  streams::VoteTally tally;
  tally.add({7, {false, 1}, BindingHow::lengths, false, 17});
  tally.add({7, {false, 1}, BindingHow::lengths, false, 24});
  EXPECT_EQ(tally.verdict(formats::TlsLibrary::openssl).how, BindingHow::none);
}

TEST(Tally, OneRecordIsNotEnough) {
  streams::VoteTally tally;
  tally.add({7, {false, 1}, BindingHow::lengths, false, 17});
  EXPECT_EQ(tally.verdict(formats::TlsLibrary::openssl).how, BindingHow::none);
  tally.add({7, {false, 1}, BindingHow::lengths, false, 17});
  EXPECT_EQ(tally.verdict(formats::TlsLibrary::openssl).how, BindingHow::lengths);
  tally.add({7, {false, 2}, BindingHow::lengths, false, 17});
  EXPECT_EQ(tally.verdict(formats::TlsLibrary::openssl).how, BindingHow::none);
}

TEST(Tally, AGoroutineMovedOnceInAWhile) {
  streams::VoteTally tally;
  for (int i = 0; i < 20; ++i) tally.add({7, {false, 1}, BindingHow::nested, true, 0});
  tally.add({7, {false, 2}, BindingHow::nested, false, 0});
  EXPECT_EQ(tally.verdict(formats::TlsLibrary::go).carrier.id, 1u);
  EXPECT_EQ(tally.verdict(formats::TlsLibrary::openssl).how, BindingHow::none);
}

}  // namespace
}  // namespace tailcap
