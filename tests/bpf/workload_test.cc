// Every way to move bytes through a socket, in both tiers: exactly as in the workload's books, byte for byte.
#include <gtest/gtest.h>

#include "tests/bpf/recording.h"

namespace tailcap::test {
namespace {

using namespace formats;

class Workload : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (const auto reason = reason_to_skip(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
  }
  Recorded record(const std::string& scenario, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(), {"--tier", GetParam()});
    auto recorded = record_workload(scenario, arguments);
    EXPECT_EQ(recorded.seen.preamble.tier, tier_a() ? HookTier::a : HookTier::c);
    EXPECT_EQ(recorded.seen.state, CaptureState::complete);
    EXPECT_TRUE(recorded.seen.lost.empty());
    return recorded;
  }
  bool tier_a() const { return GetParam() == std::string("a"); }
};

std::uint64_t calls_of(const Recorded& recorded) {
  std::uint64_t calls = 0;
  for (const auto& [socket, account] : recorded.books) calls += account.sends + account.receives;
  return calls;
}

void expect_requests(const Recorded& recorded, Family family, SocketType type) {
  expect_exact(recorded);
  EXPECT_EQ(recorded.books.size(), 2u * 7);
  EXPECT_GE(calls_of(recorded), 4u * 7 * 101);
  int such = 0;
  for (const auto& [socket, infos] : recorded.seen.sockets)
    such += infos.back().family == family && infos.back().type == type;
  EXPECT_GE(such, 2 * 7);
}

TEST_P(Workload, Tcp4) {
  const auto recorded = record("tcp4");
  expect_requests(recorded, Family::inet, SocketType::stream);
  // Arrivals cover every byte that was received.
  for (const auto& [socket, account] : recorded.books) {
    std::uint64_t arrived = 0;
    for (const auto& arrival : recorded.seen.arrivals.at(socket)) arrived += arrival.length;
    EXPECT_EQ(arrived, account.received);
  }
  // The two ends of a connection have the same numbers.
  for (const auto& [socket, infos] : recorded.seen.sockets) {
    if (infos.back().origin != Origin::accepted) continue;
    int peers = 0;
    for (const auto& [other, others] : recorded.seen.sockets) {
      if (others.back().local == infos.back().remote && others.back().remote == infos.back().local) {
        peers++;
        EXPECT_EQ(recorded.seen.out.at(other).front().io.position, recorded.seen.in.at(socket).front().io.position);
        EXPECT_EQ(recorded.seen.in.at(other).front().io.position, recorded.seen.out.at(socket).front().io.position);
        EXPECT_EQ(others.back().origin, Origin::connected);
      }
    }
    EXPECT_EQ(peers, 1);
  }
}

// One ring per CPU: nothing is lost between them, and the file has all their records.
TEST_P(Workload, SeveralRings) {
  const auto one = record("tcp4", {"--rings", "1"}), two = record("tcp4", {"--rings", "2"});
  for (const auto* recorded : {&one, &two}) {
    expect_requests(*recorded, Family::inet, SocketType::stream);
    // A record's time is read before the record is in the ring: another record may get there first.
    EXPECT_LT(recorded->seen.turned_back * 20, calls_of(*recorded));
  }
}

TEST_P(Workload, Tcp6) { expect_requests(record("tcp6"), Family::inet6, SocketType::stream); }
TEST_P(Workload, UnixStream) { expect_requests(record("unix"), Family::unix_domain, SocketType::stream); }
TEST_P(Workload, UnixSeqpacket) { expect_requests(record("seqpacket"), Family::unix_domain, SocketType::seqpacket); }
TEST_P(Workload, InheritedOverFork) {
  const auto recorded = record("inherited");
  expect_exact(recorded);
  EXPECT_EQ(recorded.seen.kinds.at(static_cast<int>(Kind::task_start)), 1u);
}
TEST_P(Workload, PassedDescriptor) { expect_exact(record("passed")); }
TEST_P(Workload, ReusedAndDuplicatedDescriptors) {
  const auto recorded = record("reused");
  expect_exact(recorded);
  EXPECT_EQ(recorded.books.size(), 2u * 53);
}
TEST_P(Workload, UnusualCalls) {
  const auto recorded = record("calls");
  expect_exact(recorded);
  int without_buffer = 0, cut = 0;
  for (const auto& [socket, list] : recorded.seen.out) {
    for (const auto& seen : list) {
      without_buffer += seen.io.payload == Payload::no_buffer && seen.io.syscall == 40;
      cut += seen.io.payload == Payload::captured && seen.tail.size() == 16;
      if (seen.io.length == 1024 * 7) {
        EXPECT_EQ(seen.head.size(), 4096u - 3 * 997);  // the rest of the payload limit, of 158 pieces
      }
    }
  }
  EXPECT_GE(without_buffer, 1) << "sendfile shows no bytes";
  EXPECT_GE(cut, 1) << "the end of what was cut is kept";
}
TEST_P(Workload, ManyMessagesInOneCall) { expect_exact(record("many_messages"), tier_a()); }
TEST_P(Workload, KernelTlsIsNotGuessedAt) {
  const auto recorded = record("layered");
  if (recorded.said.find("no kernel TLS here") != std::string::npos) GTEST_SKIP() << "this kernel has no TLS";
  expect_exact(recorded);
  int unsupported = 0;
  for (const auto& [socket, list] : recorded.seen.out) {
    for (const auto& seen : list) unsupported += seen.io.payload == Payload::unsupported && seen.head.empty();
  }
  EXPECT_EQ(unsupported, 1);
}
TEST_P(Workload, PartialWrites) { expect_exact(record("partial")); }
TEST_P(Workload, HalfCloseAndLateEnd) { expect_exact(record("half_close")); }

TEST_P(Workload, RefusedConnect) {
  const auto recorded = record("refused");
  int refused = 0;
  for (const auto& [socket, changes] : recorded.seen.states) {
    for (const auto& change : changes) {
      refused += change.from == TcpState::syn_sent && change.to == TcpState::close && change.error == 111;
    }
  }
  EXPECT_EQ(refused, 3);
}

TEST_P(Workload, ResetByThePeer) {
  const auto recorded = record("reset");
  expect_exact(recorded);
  int sent = 0, received = 0;
  for (const auto& [socket, list] : recorded.seen.in) {
    for (const auto& seen : list) received += seen.io.error == 104;
  }
  for (const auto& [socket, count] : recorded.seen.resets) sent += count;
  EXPECT_EQ(received, 1) << "ECONNRESET";
  EXPECT_GE(sent, 1);
}

TEST_P(Workload, PayloadOff) {
  const auto recorded = record("tcp4", {"--payload", "0"});
  expect_exact(recorded);
  for (const auto* way : {&recorded.seen.out, &recorded.seen.in}) {
    for (const auto& [socket, list] : *way) {
      for (const auto& seen : list) EXPECT_TRUE(seen.head.empty() && seen.tail.empty());
    }
  }
}

// More events than the ring can hold: lost ones are counted, on their own socket.
TEST_P(Workload, TinyRing) {
  for (const auto& [ring, rings] : {std::pair{"4KiB", "1"}, std::pair{"64KiB", "1"}, std::pair{"64KiB", "2"}}) {
    for (const char* scenario : {"flood", "flood_tcp"}) {
      const auto recorded =
          record_workload(scenario, {"--tier", GetParam(), "--ring", ring, "--rings", rings, "--only", "io"});
      std::uint64_t sends = 0, receives = 0;
      for (const auto& [socket, account] : recorded.books) {
        sends += account.sends;
        receives += account.receives;
      }
      const auto count = [](const std::map<int, std::uint64_t>& by_kind, Kind kind) {
        const auto found = by_kind.find(static_cast<int>(kind));
        return found == by_kind.end() ? 0 : found->second;
      };
      EXPECT_EQ(sends, 3u * 2 * 5'003);
      EXPECT_EQ(count(recorded.seen.kinds, Kind::send) + count(recorded.seen.lost, Kind::send), sends)
          << ring << " " << scenario;
      EXPECT_EQ(count(recorded.seen.kinds, Kind::receive) + count(recorded.seen.lost, Kind::receive), receives)
          << ring << " " << scenario;
      EXPECT_GT(count(recorded.seen.lost, Kind::send), 0u);
      EXPECT_EQ(recorded.code, 3) << recorded.said;
      std::uint64_t lost = 0;
      for (const auto& [kind, number] : recorded.seen.lost) lost += number;
      EXPECT_GT(recorded.seen.missed, 0u);
      EXPECT_LE(recorded.seen.missed, lost);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tier, Workload, testing::Values("a", "c"),
                         [](const auto& tier) { return std::string(tier.param); });

}  // namespace
}  // namespace tailcap::test
