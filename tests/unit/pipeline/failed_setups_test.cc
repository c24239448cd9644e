// A connect that failed, or had not ended with the recording, is a call of its client's without an answer.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::failed_setups {
namespace {

using namespace std::chrono_literals;
using formats::TcpState;
using synth::Duration;

constexpr synth::Thread kWorker{10, 11};

struct Connecting {
  synth::Scenario s;

  void begin(Duration at, formats::SocketId socket) {
    s.add(at, kWorker, formats::StateChange{socket, TcpState::close, TcpState::syn_sent, true, 0});
    formats::SocketInfo info{.socket = socket,
                             .family = formats::Family::inet,
                             .type = formats::SocketType::stream,
                             .origin = formats::Origin::connected,
                             .state = TcpState::syn_sent};
    info.remote = synth::address("10.0.0.3:5432", formats::Family::inet);
    s.add(at, {}, info);
  }
  void end(Duration at, formats::SocketId socket, int error) {
    s.add(at, {}, formats::StateChange{socket, TcpState::syn_sent, TcpState::close, false, error});
  }
  // "tcp CONNECT 10.0.0.3:5432 no_response refused, 11, 5 ms at least"
  std::vector<std::string> told() {
    const auto a = pipeline::analyze(synth::plain_preamble(), s.with_end(), {});
    std::vector<std::string> out;
    for (const model::Request r : a.table.rows) {
      const auto& texts = a.table.texts;
      out.push_back(std::string(model::name_of(r.protocol)) + " " + std::string(texts[r.method]) + " " +
                    std::string(texts[r.path]) + " " + std::string(model::name_of(r.outcome)) + " " +
                    std::string(texts[r.store.error_code]) + ", " + std::to_string(r.tid) + ", " +
                    std::to_string(r.at_least / 1'000'000) + " ms at least");
    }
    return out;
  }
};
using Told = std::vector<std::string>;

TEST(FailedSetups, AConnectThatIsRefusedIsACallWithoutAnAnswer) {
  Connecting c;
  c.begin(10ms, 900);
  c.end(15ms, 900, ECONNREFUSED);
  EXPECT_EQ(c.told(), (Told{"tcp CONNECT 10.0.0.3:5432 no_response refused, 11, 5 ms at least"}));
}

TEST(FailedSetups, AConnectThatIsGivenUpIsCancelled) {
  Connecting c;
  c.begin(10ms, 900);
  c.end(210ms, 900, 0);
  EXPECT_EQ(c.told(), (Told{"tcp CONNECT 10.0.0.3:5432 cancelled given up, 11, 200 ms at least"}));
}

TEST(FailedSetups, AConnectUnderWayAtTheEndIsInFlight) {
  Connecting c;
  c.begin(10ms, 900);
  const Told told = c.told();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].starts_with("tcp CONNECT 10.0.0.3:5432 in_flight , 11")) << told[0];
}

TEST(FailedSetups, AConnectThatSucceedsIsNone) {
  Connecting c;
  c.begin(10ms, 900);
  c.s.add(11ms, {}, formats::StateChange{900, TcpState::syn_sent, TcpState::established, false, 0});
  c.s.add(12ms, {}, formats::StateChange{900, TcpState::established, TcpState::close, false, ECONNRESET});
  EXPECT_EQ(c.told(), Told{});
}

TEST(FailedSetups, ASocketThatConnectsAgainHasACallForEachAttempt) {
  Connecting c;
  c.begin(10ms, 900);
  c.end(15ms, 900, ETIMEDOUT);
  c.begin(20ms, 900);
  c.end(25ms, 900, ECONNREFUSED);
  EXPECT_EQ(c.told(), (Told{"tcp CONNECT 10.0.0.3:5432 no_response timed out, 11, 5 ms at least",
                            "tcp CONNECT 10.0.0.3:5432 no_response refused, 11, 5 ms at least"}));
}

// The kernel did not say that it was established, which happens.
TEST(FailedSetups, AConnectionThatWasClosedInAnotherStateWasEstablished) {
  Connecting c;
  c.begin(10ms, 900);
  c.s.add(12ms, {}, formats::Reset{.socket = 900, .direction = formats::Direction::in});
  c.s.add(12ms, {}, formats::StateChange{900, TcpState::established, TcpState::close, false, ECONNRESET});
  EXPECT_EQ(c.told(), Told{});
}

TEST(FailedSetups, AResetThatAnswersTheFirstPacketIsARefusal) {
  Connecting c;
  c.begin(10ms, 900);
  c.s.add(12ms, {}, formats::Reset{.socket = 900, .direction = formats::Direction::in});
  c.end(12ms, 900, ECONNREFUSED);
  EXPECT_EQ(c.told(), (Told{"tcp CONNECT 10.0.0.3:5432 no_response refused, 11, 2 ms at least"}));
}

}  // namespace
}  // namespace tailcap::failed_setups
