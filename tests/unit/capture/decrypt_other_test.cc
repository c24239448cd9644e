// Which connections the decryptor leaves to probes: all that probes may read, and no others.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <vector>

#include "bpf/event.h"
#include "tests/unit/capture/tls_talk.h"

namespace tailcap::capture::decrypt {
namespace {

constexpr std::uint64_t kSession = std::uint64_t{1} << 62 | 5;

// What the decryptor asked for.
struct Left {
  std::vector<std::uint32_t> wanted;
  std::vector<std::uint64_t> taken;
  Decryptor::Other other() {
    return {[this](std::uint32_t pid) { wanted.push_back(pid); }, [this](std::uint64_t id) { taken.push_back(id); }};
  }
};

void say_session(Derivation& derivation, std::uint64_t session) {
  bpf::record_tls_secret r;
  std::memcpy(&r, derivation.data(), sizeof r);
  r.session = session;
  std::memcpy(derivation.data(), &r, sizeof r);
}

// The connection begins while its process is a target.
void begin(Talk& talk, formats::Origin origin = formats::Origin::accepted) {
  formats::Event event;
  event.time = formats::time_from(1);
  event.body.emplace<formats::SocketInfo>().socket = Talk::kSocket;
  std::get<formats::SocketInfo>(event.body).origin = origin;
  talk.decryptor().take(event);
}

void pass(Talk& talk, std::chrono::nanoseconds time) {
  formats::Event event;
  event.time = formats::time_from(time.count());
  event.body = formats::TaskExit{};
  event.thread = {99, 99};
  talk.decryptor().take(event);
}

struct Case {
  formats::Origin origin;
  std::uint64_t session;
  bool read;
};

class Belongs : public testing::TestWithParam<std::tuple<int, Case>> {};

TEST_P(Belongs, ToKeysOrToProbes) {
  const Case& wanted = std::get<1>(GetParam());
  Contexts contexts(std::get<0>(GetParam()));
  Left left;
  Talk talk(contexts, nullptr, left.other());
  if (wanted.origin != formats::Origin::unknown) begin(talk, wanted.origin);
  talk.derived = [&](Derivation& d) { return say_session(d, wanted.session), true; };
  ASSERT_TRUE(talk.shake());
  talk.say("hello");
  talk.answer("world");
  EXPECT_EQ(talk.in.text, wanted.read ? "hello" : "");
  EXPECT_EQ(talk.out.text, wanted.read ? "world" : "");
  pass(talk, std::chrono::minutes{1});
  // What the kernel programs left to probes after its beginning needs them.
  const bool seen = wanted.session == (kSession | TLS_LEFT_TO_PROBES);
  EXPECT_EQ(left.wanted.size(), seen ? 1u : 0u);
  EXPECT_TRUE(left.taken.empty());
}

using formats::Origin;
INSTANTIATE_TEST_SUITE_P(
    All, Belongs,
    testing::Combine(testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                     testing::Values(Case{Origin::accepted, 0, true}, Case{Origin::connected, 0, true},
                                     Case{Origin::accepted, kSession, true},
                                     Case{Origin::accepted, kSession | TLS_LEFT_TO_PROBES, false},
                                     Case{Origin::unknown, kSession, true}, Case{Origin::existed, 0, false},
                                     Case{Origin::unknown, 0, false},
                                     Case{Origin::unknown, kSession | TLS_LEFT_TO_PROBES, false},
                                     Case{Origin::unknown, kSession | TLS_LEFT_TO_PROBES | TLS_UNDER_WAY, false})));

// What probes read is not lost; what neither reads is.
TEST(DecryptOther, LossesOfTheOther) {
  for (const std::uint64_t session : {std::uint64_t{0}, std::uint64_t{kSession | TLS_LEFT_TO_PROBES}}) {
    Contexts contexts;
    Left left;
    Talk talk(contexts, nullptr, left.other());
    talk.derived = [&](Derivation& d) { return say_session(d, session), true; };
    ASSERT_TRUE(talk.shake());
    talk.say("hello");
    EXPECT_EQ(talk.decryptor().lost()[1] > 0, session == 0);
  }
}

class NotReadable : public testing::TestWithParam<std::pair<int, const char*>> {};

TEST_P(NotReadable, ACipherIsHandedOver) {
  Contexts contexts(GetParam().first, GetParam().second);
  Left left;
  Talk talk(contexts, nullptr, left.other());
  begin(talk);
  talk.derived = [&](Derivation& d) { return say_session(d, kSession), true; };
  ASSERT_TRUE(talk.shake());
  talk.say("hello");
  EXPECT_EQ(talk.in.text, "");
  EXPECT_EQ(left.taken, std::vector<std::uint64_t>{kSession});
  EXPECT_EQ(left.wanted, std::vector<std::uint32_t>{Talk::kPid});
}

INSTANTIATE_TEST_SUITE_P(Ciphers, NotReadable,
                         testing::Values(std::pair{TLS1_2_VERSION, "ECDHE-ECDSA-AES128-CCM"},
                                         std::pair{TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA"},
                                         std::pair{TLS1_3_VERSION, "TLS_AES_128_CCM_SHA256"}));

// The kernel programs have seen it already: nothing to hand over, but probes are needed.
TEST(DecryptOther, ACipherThatTheKernelProgramsKnow) {
  Contexts contexts(TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA");
  Left left;
  Talk talk(contexts, nullptr, left.other());
  begin(talk);
  talk.derived = [&](Derivation& d) { return say_session(d, kSession | TLS_LEFT_TO_PROBES), true; };
  ASSERT_TRUE(talk.shake());
  EXPECT_TRUE(left.taken.empty());
  EXPECT_EQ(left.wanted, std::vector<std::uint32_t>{Talk::kPid});
  EXPECT_EQ(talk.decryptor().lost()[1], 0u);
}

// Keys are derived, but for no connection that is seen: behind a proxy's header, in a tunnel, in another process.
class WithoutHellos : public testing::TestWithParam<std::uint64_t> {};

TEST_P(WithoutHellos, AllOfTheProcess) {
  Contexts contexts;
  std::vector<Derivation> elsewhere;
  {
    Talk talk(contexts);
    talk.derived = [&](Derivation& d) { return elsewhere.push_back(d), false; };
    ASSERT_TRUE(talk.shake());
  }
  Left left;
  Talk talk(contexts, nullptr, left.other());
  begin(talk);
  ASSERT_TRUE(talk.shake());
  talk.say("one");
  EXPECT_EQ(talk.in.text, "one");
  for (Derivation& d : elsewhere) {
    say_session(d, GetParam());
    talk.decryptor().secret(d, formats::time_from(2000));
  }
  pass(talk, Decryptor::kUnmet);
  EXPECT_TRUE(left.taken.empty());
  if (GetParam() != kSession) {  // perhaps the handshake began before the recording did
    pass(talk, std::chrono::minutes{1});
    const bool known = GetParam() == (kSession | TLS_UNDER_WAY);
    EXPECT_EQ(left.taken, known ? std::vector<std::uint64_t>{kSession} : std::vector<std::uint64_t>{});
    EXPECT_TRUE(left.wanted.empty());
    return;
  }
  pass(talk, Decryptor::kUnmet + std::chrono::milliseconds{1});
  EXPECT_EQ(left.taken, std::vector<std::uint64_t>{TLS_PROCESS_BIT | Talk::kPid});
  EXPECT_EQ(left.wanted, std::vector<std::uint32_t>{Talk::kPid});
  // What the connection without hellos carried until then counts as lost, once in each direction.
  EXPECT_EQ(talk.decryptor().lost(), (std::array<std::uint64_t, 2>{1, 1}));
  // From then on all of the process is left to probes, and nothing of it is lost.
  talk.say("two");
  EXPECT_EQ(talk.in.text, "one");
  EXPECT_EQ(talk.decryptor().lost(), (std::array<std::uint64_t, 2>{1, 1}));
}

INSTANTIATE_TEST_SUITE_P(Known, WithoutHellos,
                         testing::Values(kSession, std::uint64_t{0}, std::uint64_t{kSession | TLS_UNDER_WAY},
                                         std::uint64_t{kSession | TLS_LEFT_TO_PROBES}));

// Hellos, and never a key.
TEST(DecryptOther, HellosWithoutDerivations) {
  Contexts contexts;
  Left left;
  Talk talk(contexts, nullptr, left.other());
  begin(talk);
  talk.derived = [](Derivation&) { return false; };
  ASSERT_TRUE(talk.shake());
  talk.say("one");
  EXPECT_TRUE(left.taken.empty());
  talk.say(std::string(1u << 20, 'x'));
  EXPECT_EQ(left.taken, std::vector<std::uint64_t>{TLS_PROCESS_BIT | Talk::kPid});
  EXPECT_EQ(left.wanted, std::vector<std::uint32_t>{Talk::kPid});
}

}  // namespace
}  // namespace tailcap::capture::decrypt
