// Bytes that the kernel kept back after a thread had sent them, and the clients that take responses slowly.
#include "tests/unit/partition/partition_case.h"

namespace tailcap {
namespace {

using formats::StallKind;
using model::Label;

constexpr Thread kKept{10, 11};

struct HeldCase : PartitionCase {
  Endpoint& e = accepted(kKept);
  HeldCase() { off(kKept, 5ms, 10ms, 10ms, kRecvfrom).socket = e.socket(); }
  void stall(StallKind what, const Endpoint& on, Duration from, Duration to, std::uint32_t detail) {
    s.add(to, kKept, formats::Stall{what, synth::kStart + from, on.socket(), detail});
  }
  std::string peer(Label label) {
    const model::SocketPeer* p = model::peer_of(culprit("/a", label), analysis().table.partitions.peers());
    return p ? p->address : "none";
  }
  std::string late() {
    std::string out;
    for (const model::Undelivered& u : analysis().table.partitions.undelivered())
      out += (out.empty() ? "" : "; ") + path_of(u.request) + " " + std::string(model::name_of(u.label)) + " " +
             std::to_string(u.time / 1000) + " " + std::to_string(u.window) + " % " +
             std::to_string(u.round_trip / 1000) + " " +
             (u.peer == 0 ? "?" : analysis().table.partitions.peers()[u.peer - 1].address);
    return out;
  }
};

// The end of a request to another service was held back, of which only the sender is recorded.
std::string calls(Duration held_until, std::uint32_t round_trip) {
  HeldCase c;
  Endpoint& out = c.connected(kKept);
  c.e.receive(10ms, 10ms, get("/a"));
  out.send(11ms, "POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
  out.send(12ms, "abcd");
  c.stall(StallKind::nagle, out, 12ms, held_until, round_trip);
  c.off(kKept, 12ms, 62ms, 62ms, kRecvfrom).socket = out.socket();
  out.receive(62ms, 62ms, kOk);
  c.e.send(63ms, kOk);
  const std::string labels = c.labels("/a");
  if (labels.find("net.nagle") != labels.npos) {
    EXPECT_EQ(c.path_of(c.culprit("/a", Label::net_nagle).request), "/up");
  }
  return labels;
}

TEST(PartitionOfHeldBytes, NaglesAlgorithmAtTheSenderAlone) {
  // As certain as that the call is this request's.
  EXPECT_EQ(calls(53ms, 50), "net.nagle~ 41000 down.wait~ 9000 cpu 3000");
  // A round trip is not a delay.
  EXPECT_EQ(calls(53ms, 40'000).find("net.nagle"), std::string::npos);
  EXPECT_EQ(calls(30ms, 50).find("net.nagle"), std::string::npos) << "shorter than any delayed acknowledgement";
}

TEST(PartitionOfHeldBytes, AResponseThatItsClientTakesLater) {
  HeldCase c;
  c.e.receive(10ms, 10ms, get("/a"));
  c.e.send(12ms, kOk);
  c.stall(StallKind::undelivered, c.e, 12ms, 400ms, 97 | 50u << 8);
  EXPECT_EQ(c.late(), "/a send.sndbuf 388000 97 % 50 10.0.0.2");
}

TEST(PartitionOfHeldBytes, TheEndOfAConnectionMayBeAcknowledgedLate) {
  HeldCase c;
  c.e.receive(10ms, 10ms, get("/a"));
  c.e.send(12ms, kOk);
  c.stall(StallKind::undelivered, c.e, 12ms, 400ms, 97 | 0x80 | 50u << 8);
  EXPECT_EQ(c.late(), "/a send.sndbuf 188000 97 % 50 10.0.0.2");
}

TEST(PartitionOfHeldBytes, NothingIsSaidWhereOnlyTheAcknowledgementWasLate) {
  HeldCase c;
  c.e.receive(10ms, 10ms, get("/a"));
  c.e.send(12ms, kOk);
  c.stall(StallKind::undelivered, c.e, 12ms, 212ms, 97 | 0x80 | 50u << 8);
  EXPECT_EQ(c.late(), "");
}

TEST(PartitionOfHeldBytes, AResponseThatTheNetworkTakesLater) {
  HeldCase c;
  c.e.receive(10ms, 10ms, get("/a"));
  c.e.send(12ms, kOk);
  c.stall(StallKind::undelivered, c.e, 12ms, 400ms, 10);
  EXPECT_EQ(c.late(), "/a send.cwnd 388000 10 % 0 10.0.0.2");
}

// What was held during the request has its labels.
TEST(PartitionOfHeldBytes, OnlyWhatComesAfterTheEnd) {
  HeldCase c;
  c.e.receive(10ms, 10ms, get("/a"));
  c.e.send(12ms, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
  c.stall(StallKind::undelivered, c.e, 12ms, 30ms, 97);
  c.off(kKept, 12ms, 40ms, 40ms, kSendto).socket = c.e.socket();
  c.e.send(41ms, "cd");
  c.stall(StallKind::nagle, c.e, 41ms, 82ms, 50);
  EXPECT_EQ(c.late(), "/a net.nagle 41000 0 % 50 10.0.0.2");
  EXPECT_EQ(c.peer(Label::send_sndbuf), "10.0.0.2") << "who did not read";
}

}  // namespace
}  // namespace tailcap
