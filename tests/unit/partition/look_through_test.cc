// What was behind a wait: calls, locks, loops and workers, each looked through to what they did in that time.
#include "tests/unit/partition/partition_case.h"

namespace tailcap::look_through_test {
namespace {

constexpr Thread kA{10, 10}, kB{10, 11}, kC{10, 12}, kServer{20, 20};

TEST(LookThrough, ACallToWhatItsServerDid) {
  PartitionCase c;
  Opening client;
  client.thread = kA;
  client.local = "10.0.0.1:50000";
  client.remote = "10.0.0.1:80";
  Endpoint& in = c.accepted(kA);
  const auto [call, served] = c.s.loopback(0ms, client, kServer);
  c.off(kA, 5ms, 10ms, 10ms, kRecvfrom);
  in.receive(10ms, 10010us, get("/cart"));
  c.off(kServer, 5ms, 11010us, 11010us, kRecvfrom);
  call.send(11ms, get("/stock"));
  c.off(kA, 11100us, 30020us, 30020us, kRecvfrom);
  served.receive(11010us, 11020us, get("/stock"));
  c.off(kServer, 12ms, 29ms, 29ms, kSleep);
  served.send(30ms, kOk);
  call.receive(30010us, 30030us, kOk);
  in.send(31ms, kOk);
  const std::string found = c.chains("/cart");
  EXPECT_NE(found.find("down.wait /stock > timer.sleep: 17000\n"), std::string::npos) << found;
  EXPECT_NE(found.find("down.wait /stock > cpu: "), std::string::npos) << found;
  EXPECT_EQ(found.find("…"), std::string::npos) << found;
}

TEST(LookThrough, ACallToAnUnrecordedServerEndsThere) {
  PartitionCase c;
  Endpoint& in = c.accepted(kA);
  Endpoint& call = c.connected(kA);
  c.off(kA, 5ms, 10ms, 10ms, kRecvfrom);
  in.receive(10ms, 10010us, get("/cart"));
  call.send(11ms, get("/stock"));
  c.off(kA, 11100us, 30ms, 30ms, kRecvfrom);
  call.receive(30ms, 30010us, kOk);
  in.send(31ms, kOk);
  EXPECT_EQ(c.chains("/cart"), "down.wait /stock …: 18900\n");
}

// B held the lock and slept, then C, which had waited for it before A.
TEST(LookThrough, AQueueAtALockToItsHolder) {
  PartitionCase c;
  Endpoint& a = c.accepted(kA);
  Endpoint& b = c.accepted(kB);
  Endpoint& d = c.accepted(kC);
  for (const Thread t : {kA, kB, kC}) c.off(t, 5ms, 9ms, 9ms, kRecvfrom);
  b.receive(9ms, 9010us, get("/b"));
  d.receive(9ms, 9020us, get("/c"));
  a.receive(9ms, 9030us, get("/a"));
  c.off(kC, 10ms, 20ms, 20ms, kFutex, 0x7f00, kB.tid);
  c.off(kA, 10ms, 30ms, 30ms, kFutex, 0x7f00, kC.tid);
  c.off(kB, 10ms, 20ms, 20ms, kSleep);
  c.off(kC, 20ms, 30ms, 30ms, kSleep);
  b.send(21ms, kOk);
  d.send(31ms, kOk);
  a.send(32ms, kOk);
  EXPECT_EQ(c.chains("/a"), "lock.futex /b > timer.sleep: 10000\nlock.futex /c > timer.sleep: 10000\n");
  EXPECT_EQ(c.chains("/c"), "lock.futex /b > timer.sleep: 10000\n");
}

TEST(LookThrough, ABusyLoopToWhatKeptItBusy) {
  PartitionCase c;
  Endpoint& a = c.accepted(kA);
  Endpoint& b = c.accepted(kA);
  c.off(kA, 5ms, 10005us, 10015us, kEpollWait);
  a.receive(10ms, 10020us, get("/disk"));
  b.arrive(12ms, static_cast<std::uint32_t>(get("/b").size()));
  c.preempted(kA, 20ms, 50ms);
  a.send(60ms, kOk);
  b.read(60010us, get("/b"));
  b.send(61ms, kOk);
  EXPECT_EQ(c.chains("/b"), "q.loop /disk > sched.preempted: 30000\nq.loop /disk > cpu: 18000\n");
}

TEST(LookThrough, ABusyWorkerToWhatItDid) {
  PartitionCase c;
  Endpoint& first = c.accepted(kA);
  Endpoint& second = c.accepted(kC);
  c.off(kA, 5ms, 10ms, 10ms, kRecvfrom);
  c.off(kC, 5ms, 11ms, 11ms, kRecvfrom);
  first.receive(10ms, 10010us, get("/first"));
  c.off(kB, 2ms, 10100us, 10100us, kFutex, 0x9000, kA.tid);
  second.receive(11ms, 11010us, get("/second"));
  c.off(kB, 12ms, 29ms, 29ms, kSleep);
  first.by(kB).send(30ms, kOk);
  second.by(kB).send(45ms, kOk);
  EXPECT_EQ(c.chains("/second"), "q.pool /first > timer.sleep: 17000\nq.pool /first > cpu: 1990\n");
}

}  // namespace
}  // namespace tailcap::look_through_test
