// TLS by its keys, against what both ends wrote.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "bpf/event.h"
#include "tests/unit/capture/tls_talk.h"

namespace tailcap::capture::decrypt {
namespace {

constexpr const char* kRequest = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

std::string random_text(std::mt19937& random, std::size_t size) {
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  return text;
}

// What the decryptor says is what was written, all of it.
void expect_all(const Talk& talk) {
  EXPECT_EQ(talk.in.text, talk.said);
  EXPECT_EQ(talk.out.text, talk.answered);
  EXPECT_FALSE(talk.in.holes || talk.out.holes);
  EXPECT_EQ(talk.in.missed + talk.out.missed, 0u);
}

// … or unseen, but never anything else.
void expect_no_other(const std::string& heard, const std::string& truth) {
  ASSERT_LE(heard.size(), truth.size());
  for (std::size_t i = 0; i < heard.size(); i++) ASSERT_TRUE(heard[i] == '?' || heard[i] == truth[i]) << "byte " << i;
}

formats::Event closing() {
  formats::Event closed;
  closed.time = formats::time_from(1 << 20);
  closed.body = formats::StateChange{Talk::kSocket, formats::TcpState::last_ack, formats::TcpState::close, false, 0};
  return closed;
}

void talk_some(Talk& talk, std::mt19937& random) {
  for (const std::size_t size : {1u, 100u, 5000u, 16384u, 16385u, 70000u}) {
    talk.say(random_text(random, size));
    talk.answer(random_text(random, size + 3));
  }
}

struct Choice {
  int version;
  const char* cipher;
};

void PrintTo(const Choice& choice, std::ostream* out) { *out << choice.cipher; }

class Suites : public testing::TestWithParam<Choice> {};

TEST_P(Suites, BothDirectionsAreRead) {
  std::mt19937 random(1);
  Contexts contexts(GetParam().version, GetParam().cipher);
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  talk.say(kRequest);
  talk_some(talk, random);
  talk.close();
  expect_all(talk);
  EXPECT_TRUE(talk.in.ended);
  ASSERT_EQ(talk.steps.size(), 2u);
  EXPECT_EQ(talk.steps[0].step, formats::TlsStepKind::handshake);
  EXPECT_EQ(talk.steps[1].step, formats::TlsStepKind::shutdown);
  EXPECT_EQ(talk.heads, std::vector<formats::SocketId>{Talk::kSocket});
  EXPECT_EQ(talk.decryptor().counts(), (Decryptor::Counts{1, 0, 0, 0}));
}

// One byte at a time, and any sizes: a record is complete when its last byte was moved.
TEST_P(Suites, HoweverItIsCut) {
  for (const std::size_t most : {1u, 7u, 3000u}) {
    std::mt19937 random(2);
    Contexts contexts(GetParam().version, GetParam().cipher);
    Talk talk(contexts);
    talk.keep = [&](const std::string& bytes) {
      std::vector<Talk::Part> parts;
      for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t n = std::min<std::size_t>(1 + random() % most, bytes.size() - at);
        parts.push_back({bytes.substr(at, n), static_cast<std::uint32_t>(n), false});
        at += n;
      }
      return parts;
    };
    ASSERT_TRUE(talk.shake());
    talk_some(talk, random);
    expect_all(talk);
  }
}

// Keeps the first 4096 bytes and the last 64 of long records (bpf/net/framing.bpf.h).
std::vector<Talk::Part> heads_only(const std::string& bytes) {
  std::vector<Talk::Part> parts;
  const auto size32 = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
  for (std::size_t at = 0; at + 5 <= bytes.size();) {
    const std::size_t size =
        static_cast<unsigned char>(bytes[at + 3]) * 256u + static_cast<unsigned char>(bytes[at + 4]);
    if (size <= 4096 + 64 || bytes[at] != 0x17) {
      parts.push_back({bytes.substr(at, 5 + size), size32(5 + size), false});
    } else {
      parts.push_back({bytes.substr(at, 5 + 4096), size32(5 + size - 64), false});
      parts.push_back({bytes.substr(at + 5 + size - 64, 64), 64, false});
    }
    at += 5 + size;
  }
  return parts;
}

TEST_P(Suites, HeadsOfLongRecords) {
  std::mt19937 random(3);
  Contexts contexts(GetParam().version, GetParam().cipher);
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  talk.say(kRequest);
  talk.keep = heads_only;
  talk_some(talk, random);
  ASSERT_EQ(talk.in.text.size(), talk.said.size());
  ASSERT_EQ(talk.out.text.size(), talk.answered.size());
  expect_no_other(talk.in.text, talk.said);
  expect_no_other(talk.out.text, talk.answered);
  EXPECT_NE(talk.in.text.find('?'), std::string::npos);
  EXPECT_EQ(talk.out.text.substr(talk.out.text.size() - 16), talk.answered.substr(talk.answered.size() - 16));
  EXPECT_EQ(talk.decryptor().counts(), (Decryptor::Counts{1, 0, 0, 0}));
}

// A lost I/O: positions stay right, the gap is said, and what follows is read again.
TEST_P(Suites, AfterAGap) {
  std::mt19937 random(4);
  Contexts contexts(GetParam().version, GetParam().cipher);
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  talk.say(kRequest);
  talk.answer("first");
  int calls = 0;
  talk.keep = [&](const std::string& bytes) {
    const bool lost = calls++ % 5 == 1;
    return std::vector<Talk::Part>{{lost ? std::string() : bytes, static_cast<std::uint32_t>(bytes.size()), lost}};
  };
  for (int i = 0; i < 20; i++) {
    talk.say(random_text(random, 1 + random() % 40000));
    talk.answer(random_text(random, 1 + random() % 40000));
  }
  talk.keep = {};
  talk.say("last request");
  talk.answer("last answer");
  expect_no_other(talk.in.text, talk.said);
  expect_no_other(talk.out.text, talk.answered);
  EXPECT_EQ(talk.in.text.size(), talk.said.size());
  EXPECT_EQ(talk.out.text.size(), talk.answered.size());
  EXPECT_GT(talk.in.missed, 0u);
  EXPECT_GT(talk.out.missed, 0u);
  EXPECT_TRUE(talk.in.text.ends_with("last request"));
  EXPECT_TRUE(talk.out.text.ends_with("last answer"));
}

INSTANTIATE_TEST_SUITE_P(All, Suites,
                         testing::Values(Choice{TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
                                         Choice{TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
                                         Choice{TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
                                         Choice{TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
                                         Choice{TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"},
                                         Choice{TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"}),
                         [](const auto& choice) {
                           std::string name = choice.param.cipher;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Decrypt, KeyUpdates) {
  Contexts contexts;
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  for (int i = 0; i < 5; i++) {
    talk.say(kRequest);
    ASSERT_EQ(SSL_key_update(talk.client(), i % 2 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    talk.say("after it");
    talk.answer("an answer");
    ASSERT_EQ(SSL_key_update(talk.server(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    talk.answer("another");
  }
  expect_all(talk);
}

TEST(Decrypt, AnotherHandshakeOnTheSameConnection) {
  Contexts contexts(TLS1_2_VERSION);
  SSL_CTX_set_options(contexts.server.get(), SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  for (int i = 0; i < 3; i++) {
    talk.say(kRequest);
    ASSERT_EQ(SSL_renegotiate(talk.client()), 1);
    ASSERT_EQ(SSL_do_handshake(talk.client()), 1 - 2);
    talk.pump();
    talk.say("after it");
    talk.answer("an answer");
  }
  expect_all(talk);
}

// A ticket, or a session that the server remembers.
TEST(Decrypt, Resumption) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Contexts contexts(version);
    Talk first(contexts);
    ASSERT_TRUE(first.shake());
    first.say(kRequest);
    first.answer("an answer");
    const SslSession session(SSL_get1_session(first.client()));
    Talk second(contexts, session.get());
    ASSERT_TRUE(second.shake());
    ASSERT_EQ(SSL_session_reused(second.client()), 1);
    second.say(kRequest);
    second.answer("an answer");
    expect_all(first);
    expect_all(second);
  }
}

// The server asks for another key share: the hash of the hellos begins anew.
TEST(Decrypt, ARetriedHello) {
  Contexts contexts;
  SSL_CTX_set1_groups_list(contexts.client.get(), "X25519:P-384");
  SSL_CTX_set1_groups_list(contexts.server.get(), "P-384");
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  talk.say(kRequest);
  talk.answer("an answer");
  expect_all(talk);
}

TEST(Decrypt, AClientWithACertificate) {
  Contexts contexts;
  SSL_CTX_use_certificate(contexts.client.get(), SSL_CTX_get0_certificate(contexts.server.get()));
  SSL_CTX_use_PrivateKey(contexts.client.get(), SSL_CTX_get0_privatekey(contexts.server.get()));
  SSL_CTX_set_verify(contexts.server.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  talk.say(kRequest);
  talk.answer("an answer");
  expect_all(talk);
}

TEST(Decrypt, PaddedRecords) {
  Contexts contexts;
  for (SSL_CTX* context : {contexts.client.get(), contexts.server.get()}) SSL_CTX_set_block_padding(context, 512);
  std::mt19937 random(5);
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  talk_some(talk, random);
  expect_all(talk);
  // Only heads and ends are kept, and the end may be padding: then the decryptor says nothing of the record's bytes.
  Talk heads(contexts);
  heads.keep = heads_only;
  ASSERT_TRUE(heads.shake());
  heads.say(random_text(random, 5000));
  EXPECT_TRUE(heads.in.text.empty());
}

// early data: true if the server takes it.
void early(bool taken, Talk::Heard& in, Decryptor::Counts& counts, std::string& said) {
  Contexts contexts;
  SSL_CTX_set_max_early_data(contexts.server.get(), 16384);
  Talk first(contexts);
  ASSERT_TRUE(first.shake());
  first.say(kRequest);
  const SslSession session(SSL_get1_session(first.client()));
  SSL_CTX_set_max_early_data(contexts.server.get(), taken ? 16384 : 0);
  Talk talk(contexts, session.get());
  std::size_t written = 0;
  ASSERT_EQ(SSL_write_early_data(talk.client(), kRequest, std::strlen(kRequest), &written), 1);
  if (taken) {
    // The server reads it when it asks for it; here its bytes only have to pass.
    ASSERT_TRUE(SSL_SESSION_get_max_early_data(session.get()) > 0);
  }
  talk.shake();
  if (!taken) {
    ASSERT_EQ(SSL_get_early_data_status(talk.client()), SSL_EARLY_DATA_REJECTED);
    talk.say("GET /b HTTP/1.1\r\n\r\n");
    talk.answer("an answer");
    EXPECT_EQ(talk.out.text, talk.answered);
  }
  in = talk.in;
  said = talk.said;
  counts = talk.decryptor().counts();
}

TEST(Decrypt, EarlyDataThatIsRefused) {
  Talk::Heard in;
  Decryptor::Counts counts;
  std::string said;
  early(false, in, counts, said);
  EXPECT_EQ(in.text, said);
  EXPECT_EQ(counts, (Decryptor::Counts{1, 0, 0, 0}));
}

TEST(Decrypt, AnotherCipherIsNotRead) {
  Contexts contexts(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256");
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  talk.say(kRequest);
  talk.answer("an answer");
  EXPECT_TRUE(talk.in.text.empty() && talk.out.text.empty() && talk.steps.empty());
  EXPECT_EQ(talk.decryptor().counts(), (Decryptor::Counts{0, 0, 1, 0}));
}

TEST(Decrypt, SecretsOfAnotherProcessAreNotUsed) {
  Contexts contexts;
  Talk talk(contexts);
  talk.derived = [](Derivation& d) {
    reinterpret_cast<bpf::record_tls_secret*>(d.data())->h.pid = Talk::kPid + 1;
    return true;
  };
  ASSERT_TRUE(talk.shake());
  talk.say(kRequest);
  EXPECT_TRUE(talk.in.text.empty() && talk.steps.empty());
}

// A process that says it derived from something else: its connection is not read, and nothing is made up.
TEST(Decrypt, SecretsThatAreWrong) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Contexts contexts(version);
    Talk talk(contexts);
    talk.derived = [](Derivation& d) {
      reinterpret_cast<bpf::record_tls_secret*>(d.data())->secret[3] ^= 1;
      return true;
    };
    ASSERT_TRUE(talk.shake());
    talk.say(kRequest);
    talk.answer("an answer");
    EXPECT_TRUE(talk.in.text.empty() && talk.out.text.empty() && talk.steps.empty());
    EXPECT_EQ(talk.decryptor().counts(), (Decryptor::Counts{0, 0, 0, 1}));
  }
}

TEST(Decrypt, BytesThatWereNotOnTheWire) {
  Contexts contexts;
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  talk.say(kRequest);
  talk.keep = [](const std::string& bytes) {
    std::string other = bytes;
    other[10] = static_cast<char>(other[10] ^ 4);
    return std::vector<Talk::Part>{{other, static_cast<std::uint32_t>(other.size()), false}};
  };
  talk.say("GET /b HTTP/1.1\r\n\r\n");
  talk.keep = {};
  talk.say("GET /c HTTP/1.1\r\n\r\n");
  EXPECT_EQ(talk.in.text, kRequest);
  EXPECT_EQ(talk.decryptor().counts(), (Decryptor::Counts{1, 0, 0, 1}));
  EXPECT_EQ(talk.decryptor().lost()[1], 2u);
}

void talk_five_times(Talk& talk) {
  for (int i = 0; i < 5; i++) {
    talk.say(kRequest);
    talk.answer("an answer");
  }
}

// Each request that is missing is one of the calls that are said to be lost.
void expect_five_lost(const Talk& talk, const Decryptor& decryptor) {
  EXPECT_TRUE(talk.in.text.empty() && talk.out.text.empty());
  EXPECT_GE(decryptor.lost()[0], 5u);
  EXPECT_GE(decryptor.lost()[1], 5u);
}

TEST(Decrypt, CallsOfAConnectionWhoseBeginningWasLost) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (int lost = 1; lost <= 3; lost++) {
      Contexts contexts(version);
      Talk talk(contexts);
      int moves = 0;
      talk.keep = [&](const std::string& bytes) {
        const bool gone = moves++ < lost;
        return std::vector<Talk::Part>{{gone ? std::string() : bytes, static_cast<std::uint32_t>(bytes.size()), gone}};
      };
      ASSERT_TRUE(talk.shake());
      talk_five_times(talk);
      talk.decryptor().finish(formats::Time{});
      expect_five_lost(talk, talk.decryptor());
    }
  }
}

TEST(Decrypt, CallsOfAConnectionWhoseSecretsWereLost) {
  for (const bool closes : {false, true}) {
    Contexts contexts;
    Talk talk(contexts);
    talk.derived = [](Derivation&) { return false; };
    ASSERT_TRUE(talk.shake());
    talk_five_times(talk);
    if (closes) talk.decryptor().take(closing());
    EXPECT_EQ(talk.decryptor().lost()[0], 0u);  // such a process may use another library
    talk.decryptor().secrets_lost();
    talk.decryptor().finish(formats::Time{});
    expect_five_lost(talk, talk.decryptor());
  }
}

// Records of any kind and length, some of them of a real connection: no more is asked than that it ends well.
TEST(Decrypt, AnyBytes) {
  std::mt19937 random(6);
  for (int round = 0; round < 200; round++) {
    Contexts contexts(round % 2 ? TLS1_3_VERSION : TLS1_2_VERSION);
    Talk talk(contexts);
    talk.derived = [&](Derivation& d) {
      if (random() % 8 == 0) d[24 + random() % 3] = static_cast<std::byte>(random());
      if (random() % 8 == 0) d.resize(random() % (d.size() + 1));
      return true;
    };
    talk.keep = [&](const std::string& bytes) {
      std::string other = bytes;
      for (unsigned n = random() % 4; n > 0; n--) other[random() % other.size()] = static_cast<char>(random());
      const auto size = static_cast<std::uint32_t>(other.size());
      const std::size_t cut = random() % (other.size() + 1);
      std::vector<Talk::Part> parts{{other.substr(0, cut), static_cast<std::uint32_t>(cut), random() % 16 == 0},
                                    {other.substr(cut), static_cast<std::uint32_t>(size - cut), random() % 16 == 0}};
      if (random() % 8 == 0) parts[0].head.resize(cut / 2);
      return parts;
    };
    talk.shake();
    talk.say(kRequest);
    talk.answer(random_text(random, random() % 20000));
  }
}

TEST(Decrypt, AlertsAndTheEndOfTheSocket) {
  Contexts contexts;
  Talk talk(contexts);
  ASSERT_TRUE(talk.shake());
  talk.say(kRequest);
  talk.decryptor().take(closing());
  const formats::Event* freed = talk.decryptor().next();
  ASSERT_TRUE(freed);
  EXPECT_EQ(std::get<formats::TlsStep>(freed->body).step, formats::TlsStepKind::freed);
  EXPECT_FALSE(talk.decryptor().next());
}

// A reset does not take what had arrived before it.
TEST(Decrypt, BytesAreReadAfterAReset) {
  for (const bool ends : {false, true}) {
    Contexts contexts;
    Talk talk(contexts);
    ASSERT_TRUE(talk.shake());
    formats::Event reset = closing();
    std::get<formats::StateChange>(reset.body).error = ECONNRESET;
    talk.decryptor().take(reset);
    talk.say(kRequest);
    EXPECT_EQ(talk.in.text, kRequest);
    EXPECT_FALSE(talk.decryptor().next());
    formats::Event later;
    later.time = reset.time + Decryptor::kUnread + std::chrono::nanoseconds{1};
    later.body = formats::TaskExit{};
    if (ends)
      talk.decryptor().finish(later.time);
    else
      talk.decryptor().take(later);
    const formats::Event* freed = talk.decryptor().next();
    ASSERT_TRUE(freed);
    EXPECT_EQ(freed->time, later.time);
    EXPECT_EQ(std::get<formats::TlsStep>(freed->body).step, formats::TlsStepKind::freed);
    EXPECT_FALSE(talk.decryptor().covers(Talk::kSocket));
  }
}

}  // namespace
}  // namespace tailcap::capture::decrypt
