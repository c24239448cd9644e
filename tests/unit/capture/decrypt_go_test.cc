// Connections whose keys Go's crypto/tls derived: its traffic secrets, as bpf/tls/go_secret.bpf.c shows them.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "bpf/event.h"
#include "capture/decrypt/schedule.h"
#include "tests/unit/capture/tls_talk.h"

namespace tailcap::capture::decrypt::decrypt_go_test {
namespace {

constexpr std::uint64_t kSession = std::uint64_t{1} << 62 | 5;

struct Choice {
  const char* cipher;
  std::uint16_t number;
};

bpf::record_tls_secret record_of(const Derivation& derivation) {
  bpf::record_tls_secret r;
  std::memcpy(&r, derivation.data(), sizeof r);
  return r;
}

Derivation bytes_of(const bpf::record_tls_secret& r) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&r);
  return {bytes, bytes + sizeof r};
}

std::string client_random(SSL* ssl) {
  std::string random(32, '\0');
  SSL_get_client_random(ssl, reinterpret_cast<unsigned char*>(random.data()), random.size());
  return random;
}

// Replaces OpenSSL's derivations of TLS 1.3 by Go's: the secrets that follow from them.
class AsGo {
 public:
  AsGo(Talk& talk, const Suite& suite) : talk_(talk), suite_(suite) {
    talk.derived = [this](Derivation& d) { return change(d); };
  }
  std::uint64_t session = 0;
  // Spoils a record; false: it does not come.
  std::function<bool(bpf::record_tls_secret&)> spoil;

 private:
  bool change(Derivation& d) {
    bpf::record_tls_secret r = record_of(d);
    const std::string label(reinterpret_cast<const char*>(r.label), r.label_length);
    if (!label.ends_with(" traffic")) return true;
    const Secret from({reinterpret_cast<const char*>(r.secret), r.secret_length});
    const std::string hash(reinterpret_cast<const char*>(r.data), r.data_length);
    const Secret secret = expand_label(suite_, from, label, hash, suite_.hash_size());
    const std::string mine = label.substr(0, 4) + " secret", random = client_random(talk_.client());
    bpf::record_tls_secret out{};
    out.h = r.h;
    out.library = bpf::TLS_GO;
    out.session = session;
    out.label_length = static_cast<__u8>(mine.size());
    std::memcpy(out.label, mine.data(), mine.size());
    out.secret_length = static_cast<__u8>(secret.size());
    std::memcpy(out.secret, secret.data(), secret.size());
    out.data_length = static_cast<__u8>(random.size());
    std::memcpy(out.data, random.data(), random.size());
    if (spoil && !spoil(out)) return false;
    d = bytes_of(out);
    return true;
  }

  Talk& talk_;
  Suite suite_;
};

class GoSuites : public testing::TestWithParam<Choice> {};

TEST_P(GoSuites, BothDirectionsAreRead) {
  Contexts contexts(TLS1_3_VERSION, GetParam().cipher);
  Talk talk(contexts);
  AsGo go(talk, *suite_of(GetParam().number));
  ASSERT_TRUE(talk.shake());
  for (int i = 0; i < 3; i++) {
    talk.say(std::string(20'000, 'a'));
    talk.answer(std::string(70'000, 'b'));
    ASSERT_EQ(SSL_key_update(talk.client(), SSL_KEY_UPDATE_REQUESTED), 1);
  }
  talk.say("after the updates");
  talk.answer("an answer");
  talk.close();
  EXPECT_EQ(talk.in.text, talk.said);
  EXPECT_EQ(talk.out.text, talk.answered);
  EXPECT_FALSE(talk.in.holes || talk.out.holes);
  ASSERT_GE(talk.steps.size(), 2u);
  for (const auto& step : talk.steps) EXPECT_EQ(step.library, formats::TlsLibrary::go);
  EXPECT_EQ(talk.decryptor().counts(), (Decryptor::Counts{1, 0, 0, 0}));
}

INSTANTIATE_TEST_SUITE_P(All, GoSuites,
                         testing::Values(Choice{"TLS_AES_128_GCM_SHA256", 0x1301},
                                         Choice{"TLS_AES_256_GCM_SHA384", 0x1302},
                                         Choice{"TLS_CHACHA20_POLY1305_SHA256", 0x1303}),
                         [](const auto& choice) { return std::string(choice.param.cipher); });

TEST(DecryptGo, MasterSecretOfTls12) {
  Contexts contexts(TLS1_2_VERSION);
  Talk talk(contexts);
  talk.derived = [](Derivation& d) {
    bpf::record_tls_secret r = record_of(d);
    r.library = bpf::TLS_GO;
    d = bytes_of(r);
    return true;
  };
  ASSERT_TRUE(talk.shake());
  talk.say("hello");
  talk.answer("world");
  EXPECT_EQ(talk.in.text, "hello");
  EXPECT_EQ(talk.out.text, "world");
  EXPECT_EQ(talk.steps.at(0).library, formats::TlsLibrary::go);
}

// Whatever the target's memory holds, nothing but the truth is read.
TEST(DecryptGo, HostileSecrets) {
  const std::vector<std::function<bool(bpf::record_tls_secret&)>> spoils = {
      [](auto& r) { return r.secret_length = 0, true; },
      [](auto& r) { return r.secret_length = 255, true; },
      [](auto& r) { return r.secret_length = 48, true; },
      [](auto& r) { return r.secret_length = 31, true; },
      [](auto& r) { return r.label_length = 255, true; },
      [](auto& r) { return r.label_length = 0, true; },
      [](auto& r) { return r.data_length = 255, true; },
      [](auto& r) { return r.data_length = 0, true; },
      [](auto& r) { return r.data[31] ^= 1, true; },
      [](auto& r) { return r.secret[0] ^= 1, true; },
      [](auto& r) { return r.label[0] = r.label[0] == 'c' ? 's' : 'c', true; },
      [](auto& r) { return std::memset(r.label, 0xff, sizeof r.label), true; },
      [](auto& r) { return r.label[2] == 'h'; },  // the others never come
      [](auto& r) { return r.label[0] == 's'; },
      [](auto& r) { return r.library = 255, true; },
  };
  for (std::size_t i = 0; i < spoils.size(); i++) {
    Contexts contexts(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    Talk talk(contexts);
    AsGo go(talk, *suite_of(0x1301));
    go.spoil = spoils[i];
    ASSERT_TRUE(talk.shake());
    talk.say("hello");
    talk.answer("world");
    EXPECT_TRUE(talk.in.text == "hello" || talk.in.text.empty()) << i << ": " << talk.in.text;
    EXPECT_TRUE(talk.out.text == "world" || talk.out.text.empty()) << i << ": " << talk.out.text;
  }
}

// What the decryptor asked for.
struct Left {
  std::vector<std::uint32_t> wanted;
  std::vector<std::uint64_t> taken;
  Decryptor::Other other() {
    return {[this](std::uint32_t pid) { wanted.push_back(pid); }, [this](std::uint64_t id) { taken.push_back(id); }};
  }
};

TEST(DecryptGo, BelongsToKeysOrToProbes) {
  const std::vector<std::uint64_t> sessions = {kSession, kSession | TLS_LEFT_TO_PROBES,
                                               TLS_LEFT_TO_PROBES | TLS_UNDER_WAY};
  for (const std::uint64_t session : sessions) {
    Contexts contexts(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    Left left;
    Talk talk(contexts, nullptr, left.other());
    AsGo go(talk, *suite_of(0x1301));
    go.session = session;
    ASSERT_TRUE(talk.shake());
    talk.say("hello");
    EXPECT_EQ(talk.in.text, session == kSession ? "hello" : "");
    EXPECT_EQ(left.wanted.size(), session == (kSession | TLS_LEFT_TO_PROBES) ? 1u : 0u);
    EXPECT_TRUE(left.taken.empty());
    EXPECT_EQ(talk.decryptor().lost(), (std::array<std::uint64_t, 2>{0, 0}));
  }
}

// Its derivations were not seen, because the probes came later: probes read it, and nothing of it is lost.
TEST(DecryptGo, ConnectionsThatAreOlderThanTheProbes) {
  std::vector<Derivation> elsewhere;  // of the same process, so that it is one whose keys are seen
  {
    Contexts contexts;
    Talk talk(contexts);
    talk.derived = [&](Derivation& d) { return elsewhere.push_back(d), false; };
    ASSERT_TRUE(talk.shake());
  }
  for (const bool keys : {false, true}) {
    for (const bool older : {false, true}) {
      Contexts contexts(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
      Left left;
      Talk talk(contexts, nullptr, left.other());
      talk.derived = [](Derivation&) { return false; };
      ASSERT_TRUE(talk.shake());
      if (keys) talk.decryptor().secret(elsewhere.at(0), formats::time_from(2));
      talk.decryptor().keys_from(Talk::kPid, formats::time_from(older ? 1'000'000 : 1));
      talk.say(std::string(1u << 20, 'x'));
      EXPECT_EQ(talk.in.text, "");
      EXPECT_EQ(talk.decryptor().lost()[1] > 0, keys && !older);
      const bool left_alone = older || keys;  // otherwise probes read all of the process
      EXPECT_EQ(left.taken.empty(), left_alone);
      EXPECT_EQ(left.wanted.empty(), left_alone);
    }
  }
}

}  // namespace
}  // namespace tailcap::capture::decrypt::decrypt_go_test
