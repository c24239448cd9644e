// Labels of requests served by threads: one each, handed over, in pools. Exact to the nanosecond.
#include "ground/recorder_notes.h"
#include "tests/unit/partition/partition_case.h"

namespace tailcap {
namespace {

using model::Label;

constexpr Thread kA{10, 11}, kB{10, 12}, kC{10, 13};
constexpr std::int16_t kAccept = 288;

// The thread was blocked in a read of the connection when the request came: woken, queued, then it reads.
struct Served : PartitionCase {
  Endpoint& e = accepted(kA);
  Served() { e.arrive(10ms, static_cast<std::uint32_t>(get("/a").size())); }
  void begin(const std::string& target = "/a") {
    off(kA, 5ms, 10012us, 10035us, kRecvfrom).socket = e.socket();
    e.read(10060us, get(target));
  }
};

TEST(PartitionOfThreads, NoticeQueueAndCpu) {
  Served c;
  c.begin();
  c.e.send(12ms, kOk);
  EXPECT_EQ(c.labels("/a"), "q.notice 12 sched.runq 23 cpu 1965");
}

// The account of the request to /a that has no answer: "timer.sleep 5000 cpu 20".
std::string unfinished_labels(PartitionCase& c) {
  const pipeline::Analysis& a = c.analysis();
  std::string text;
  for (const model::Request row : a.table.rows) {
    if (a.table.texts[row.path] != "/a") continue;
    EXPECT_TRUE(a.table.partitions.parts(row.id).empty());
    for (const model::AccountPart& p : a.table.unfinished.parts(row.id))
      text += (text.empty() ? "" : " ") + std::string(model::name_of(p.label)) + " " + std::to_string(p.time / 1000);
  }
  return text;
}

TEST(PartitionOfThreads, WithoutAnAnswerAtTheEnd) {
  Served c;
  c.begin();
  c.ongoing(kA, 11ms, 16ms, kSleep);
  EXPECT_EQ(unfinished_labels(c), "q.notice 12 sched.runq 23 cpu 25 timer.sleep 5000 cpu 940");
}

// What the recorder lists when its programs are gone says nothing of the time in which it removed them.
TEST(PartitionOfThreads, WithoutAnAnswerWhileTheRecorderStops) {
  Served c;
  c.begin();
  c.s.add(13ms, {}, formats::Note{ground::kStopsNote, "1"});
  c.ongoing(kA, 11ms, 116ms, kSleep);
  EXPECT_EQ(unfinished_labels(c), "q.notice 12 sched.runq 23 cpu 25 timer.sleep 2000 cpu 940");
}

TEST(PartitionOfThreads, WithoutAnAnswerTheLastTenSecondsCount) {
  Served c;
  c.begin();
  c.ongoing(kA, 11ms, 60s, kSleep);
  EXPECT_EQ(unfinished_labels(c), "timer.sleep 10000000");
}

TEST(PartitionOfThreads, WithoutAnAnswerAndWithoutTheLastWaits) {
  Served c;  // an older recorder: what the thread does since 12 ms is not known
  c.begin();
  c.off(kA, 11ms, 12ms, 12ms, kSleep);
  c.off(kB, 11ms, 16ms, 16ms, kSleep);
  EXPECT_NE(unfinished_labels(c).find("timer.sleep 1000"), std::string::npos);
}

TEST(PartitionOfThreads, SleepAndPreemption) {
  Served c;
  c.begin();
  c.off(kA, 11ms, 16ms, 16100us, kSleep);
  c.preempted(kA, 17ms, 19ms);
  c.e.send(20ms, kOk);
  EXPECT_EQ(c.labels("/a"), "timer.sleep 5000 q.notice 12 sched.preempted 2000 sched.runq 123 cpu 2865");
}

TEST(PartitionOfThreads, ALateTimerIsNoSleep) {
  Served c;
  c.begin();
  auto& late = c.off(kA, 11ms, 16ms, 16100us, kSleep);
  late.timed = true;
  late.argument1 = 2'000'000;
  auto& prompt = c.off(kA, 17ms, 19050us, 19060us, kSleep);  // within the timer's slack
  prompt.timed = true;
  prompt.argument1 = 2'000'000;
  auto& interrupted = c.off(kA, 19500us, 19700us, 19700us, kSleep);
  interrupted.timed = true;
  interrupted.argument1 = UINT64_MAX;
  c.e.send(20ms, kOk);
  EXPECT_EQ(c.labels("/a"), "timer.sleep 4350 q.notice 2912 sched.runq 133 cpu 2605");
}

TEST(PartitionOfThreads, TimeThatTheHypervisorTook) {
  Served c;
  c.begin();
  c.off(kA, 15ms, 15100us, 15100us, kSleep).stolen = 1ms;  // of the time on the CPU since 10.035 ms
  c.off(kA, 19ms, 19100us, 19100us, kSleep);
  // 4.9 ms on the CPU, of which 3 ms after the request.
  c.off(kA, 24ms, 25ms, 25ms, kRecvfrom).stolen = 2450us;
  c.e.send(21ms, kOk);
  EXPECT_EQ(c.labels("/a"), "timer.sleep 200 q.notice 12 sched.runq 23 cpu.stolen 1000 cpu.stolen~ 950 cpu 8815");
}

TEST(PartitionOfThreads, StolenTimeBehindLostWaits) {
  Served c;
  c.begin();
  auto& wait = c.off(kA, 15ms, 15100us, 15100us, kSleep);
  wait.stolen = 1ms;
  wait.missed = 1;
  c.e.send(16ms, kOk);
  EXPECT_EQ(c.labels("/a").find("stolen"), std::string::npos);
}

TEST(PartitionOfThreads, LockIsHeldBySomebodysRequest) {
  PartitionCase c;
  Endpoint& a = c.accepted(kA);
  Endpoint& b = c.accepted(kB);
  c.off(kA, 5ms, 10ms, 10ms, kRecvfrom);
  c.off(kB, 5ms, 9ms, 9ms, kRecvfrom);
  b.receive(9ms, 9010us, get("/restock"));
  a.receive(10ms, 10010us, get("/cart"));
  c.off(kA, 11ms, 31ms, 31050us, kFutex, 0x7f00, kB.tid);
  b.send(35ms, kOk);
  a.send(32ms, kOk);
  EXPECT_EQ(c.labels("/cart"), "lock.futex 20000 sched.runq 50 cpu 1950");
  const model::Culprit culprit = c.culprit("/cart", Label::lock_futex);
  EXPECT_EQ(culprit.what, 0x7f00u);
  EXPECT_EQ(culprit.tid, kB.tid);
  EXPECT_EQ(c.path_of(culprit.request), "/restock");
}

// A queue for a lock: who woke it had waited for the same lock, too, and had it only since then.
TEST(PartitionOfThreads, LockIsHeldByOneAfterTheOther) {
  PartitionCase c;
  Endpoint &a = c.accepted(kA), &b = c.accepted(kB), &d = c.accepted(kC);
  for (const auto& [thread, at] : {std::pair{kA, 10ms}, std::pair{kB, 9ms}, std::pair{kC, 8ms}})
    c.off(thread, 5ms, at, at, kRecvfrom);
  d.receive(8ms, 8010us, get("/first"));
  b.receive(9ms, 9010us, get("/second"));
  a.receive(10ms, 10010us, get("/cart"));
  c.off(kB, 9500us, 16ms, 16100us, kFutex, 0x7f00, kC.tid);
  c.off(kB, 17ms, 18ms, 18ms, kSleep);
  c.off(kB, 19ms, 19500us, 19500us, kFutex, 0x7e00, kC.tid);
  c.off(kA, 11ms, 31ms, 31050us, kFutex, 0x7f00, kB.tid);
  d.send(17ms, kOk);
  b.send(35ms, kOk);
  a.send(32ms, kOk);
  EXPECT_EQ(c.labels("/cart"), "lock.futex 20000 sched.runq 50 cpu 1950");
  const pipeline::Analysis& analysed = c.analysis();
  std::map<std::string, std::int64_t> held;  // ns by path
  for (const model::Request row : analysed.table.rows)
    if (analysed.table.texts[row.path] == "/cart")
      for (const model::Culprit& culprit : analysed.table.partitions.culprits(row.id))
        if (culprit.label == Label::lock_futex) held[c.path_of(culprit.request)] += culprit.time;
  EXPECT_EQ(held, (std::map<std::string, std::int64_t>{{"/first", 5'000'000}, {"/second", 15'000'000}}));
}

// A wait with a time limit: no thread ends it, a timer does.
TEST(PartitionOfThreads, ATimeLimitThatExpiresIsNoLock) {
  Served c;
  c.begin();
  c.off(kA, 11ms, 31ms, 31050us, kFutex, 0x7f00).woken_in = formats::WokenIn::interrupt;
  c.off(kA, 33ms, 35ms, 35ms, kFutex, 0x7f00).woken_in = formats::WokenIn::thread;
  c.e.send(36ms, kOk);
  EXPECT_EQ(c.labels("/a"), "lock.futex 2000 timer.sleep~ 20000 q.notice 12 sched.runq 73 cpu 3915");
  EXPECT_EQ(c.culprit("/a", Label::timer_sleep).what, 0x7f00u);
}

// It asks for the lock again whenever its time limit expires, until the holder gives it.
TEST(PartitionOfThreads, PollingForALockIsWaitingForIt) {
  for (const bool given : {true, false}) {
    Served c;
    c.begin();
    c.off(kA, 11ms, 16ms, 16ms, kFutex, 0x7f00).woken_in = formats::WokenIn::interrupt;
    c.preempted(kA, 16010us, 18ms);
    c.off(kA, 18050us, 23ms, 23ms, kFutex, 0x7f08).woken_in = formats::WokenIn::interrupt;
    c.off(kA, 23050us, 25ms, 25ms, kFutex, 0x7f00, given ? kB.tid : 0).woken_in =
        given ? formats::WokenIn::thread : formats::WokenIn::interrupt;
    c.e.send(35ms, kOk);
    EXPECT_EQ(c.labels("/a"), std::string(given ? "lock.futex" : "timer.sleep~") +
                                  " 11900 q.notice 12 sched.preempted 1990 sched.runq 23 cpu 11075");
  }
}

TEST(PartitionOfThreads, QuotaWhereTheKernelTells) {
  Served c;
  c.begin();
  c.preempted(kA, 11ms, 50ms).throttled = true;
  c.e.send(51ms, kOk);
  EXPECT_EQ(c.labels("/a"), "q.notice 12 sched.throttled 39000 sched.runq 23 cpu 1965");
}

TEST(PartitionOfThreads, QuotaByReadingsOfTheCgroup) {
  for (const std::uint64_t throttled : {7u, 6u}) {
    Served c;
    formats::TaskInfo info;
    info.cgroup = "/shop";
    c.s.add(0ms, {kA.pid, kA.pid}, info);
    formats::CpuQuota quota;
    quota.cgroup = "/shop";
    quota.throttled = 6;
    c.s.add(9ms, {}, quota);
    quota.throttled = throttled;
    c.s.add(60ms, {}, quota);
    c.begin();
    c.preempted(kA, 11ms, 50ms);
    c.preempted(kA, 50100us, 50200us);  // too short for a quota
    c.e.send(51ms, kOk);
    EXPECT_EQ(c.labels("/a"), throttled == 7
                                  ? "q.notice 12 sched.throttled~ 39000 sched.preempted 100 sched.runq 23 cpu 1865"
                                  : "q.notice 12 sched.preempted 39100 sched.runq 23 cpu 1865");
  }
}

// With nested quotas the cause is the group with a higher count of throttled periods; unknown if several counts rose.
TEST(PartitionOfThreads, WhoseQuotaItWas) {
  struct {
    std::uint64_t inner, outer, other;
    std::string culprit;
    std::int64_t quota;
  } const cases[] = {{3, 7, 1, "/shop/cart", 40}, {2, 8, 1, "/shop", 80}, {3, 8, 1, "", 0}, {2, 7, 2, "", 0}};
  for (const auto& expected : cases) {
    Served c;
    formats::TaskInfo info;
    info.cgroup = "/shop/cart";
    c.s.add(0ms, {kA.pid, kA.pid}, info);
    const auto reading = [&c](Duration at, std::string_view path, Duration quota, std::uint64_t throttled) {
      formats::CpuQuota q;
      q.cgroup = path;
      q.quota = quota;
      q.period = 100ms;
      q.throttled = throttled;
      c.s.add(at, {}, q);
    };
    reading(9ms, "/shop", 80ms, 7);
    reading(9ms, "/shop/cart", 40ms, 2);
    reading(9ms, "/shop/carts", 10ms, 1);
    reading(60ms, "/shop", 80ms, expected.outer);
    reading(60ms, "/shop/cart", 40ms, expected.inner);
    reading(60ms, "/shop/carts", 10ms, expected.other);
    c.begin();
    c.preempted(kA, 11ms, 50ms).throttled = true;
    c.e.send(51ms, kOk);
    EXPECT_EQ(c.labels("/a"), "q.notice 12 sched.throttled 39000 sched.runq 23 cpu 1965");
    const model::Culprit culprit = c.culprit("/a", Label::sched_throttled);
    const model::CpuGroup* group = model::group_of(culprit, c.analysis().table.partitions.groups());
    ASSERT_EQ(group ? group->path : "", expected.culprit);
    if (!group) continue;
    EXPECT_EQ(std::int64_t{culprit.time}, 39'000'000);
    EXPECT_EQ(group->quota, expected.quota * 1'000'000);
    EXPECT_EQ(group->period, 100'000'000);
  }
}

TEST(PartitionOfThreads, StoppedAndUnseenWakeUps) {
  Served c;
  c.begin();
  c.off(kA, 11ms, 14ms, 14010us, -1).state = 4;
  c.off(kA, 15ms, -1s, 18ms, kFutex).runnable = formats::kNoTime;
  c.e.send(20ms, kOk);
  EXPECT_EQ(c.labels("/a"), "q.notice 12 sched.stopped 3000 sched.runq 33 cpu 3955 unexplained.opaque 3000");
}

TEST(PartitionOfThreads, WhoStoppedIt) {
  struct {
    std::uint32_t state;
    std::uint64_t signal, sender;
    std::uint32_t told;
  } const cases[] = {{4, 19, 777, 777}, {4, 20, 0, 0}, {4, 5, 777, 0}, {4, 19, 0x7f0000001000, 0}, {8, 19, 777, 0}};
  for (const auto& expected : cases) {
    Served c;
    c.begin();
    formats::OffCpu& off = c.off(kA, 11ms, 14ms, 14010us, -1);
    off.state = expected.state;
    off.argument0 = expected.signal;
    off.argument1 = expected.sender;
    c.e.send(15ms, kOk);
    EXPECT_EQ(c.labels("/a"), "q.notice 12 sched.stopped 3000 sched.runq 33 cpu 1955");
    EXPECT_EQ(c.culprit("/a", Label::sched_stopped).tid, expected.told);
  }
}

// Only its tracer, a debugger, lets a traced thread go on.
TEST(PartitionOfThreads, WhoTracedIt) {
  Served c;
  c.begin();
  formats::OffCpu& off = c.off(kA, 11ms, 14ms, 14010us, -1);
  off.state = 8;
  off.waker = 888;
  c.e.send(15ms, kOk);
  EXPECT_EQ(c.labels("/a"), "q.notice 12 sched.stopped 3000 sched.runq 33 cpu 1955");
  EXPECT_EQ(c.culprit("/a", Label::sched_stopped).tid, 888u);
}

TEST(PartitionOfThreads, DownstreamByTheSocketItIsBlockedOn) {
  Served c;
  Endpoint& out = c.connected(kA);
  c.begin();
  out.send(11ms, get("/stock"));
  c.off(kA, 11100us, 31300us, 31350us, kRecvfrom).socket = out.socket();
  out.arrive(31200us, static_cast<std::uint32_t>(kOk.size()));
  out.read(31400us, kOk);
  c.e.send(32ms, kOk);
  EXPECT_EQ(c.labels("/a"), "down.wait 20100 q.notice 112 sched.runq 73 cpu 1715");
  EXPECT_EQ(c.path_of(c.culprit("/a", Label::down_wait).request), "/stock");
  EXPECT_EQ(c.labels("/stock", model::Role::client), "down.wait 20200 q.notice 100 sched.runq 50 cpu 50");
}

// Older captures do not record which descriptor the thread is blocked on.
TEST(PartitionOfThreads, DownstreamByTheCallUnderWay) {
  Served c;
  Endpoint& out = c.connected(kA);
  c.begin();
  out.send(11ms, get("/stock"));
  c.off(kA, 11100us, 31300us, 31350us, kRecvfrom);
  out.arrive(31200us, static_cast<std::uint32_t>(kOk.size()));
  out.read(31400us, kOk);
  c.e.send(32ms, kOk);
  EXPECT_EQ(c.labels("/a"), "down.wait 20100 q.notice 112 sched.runq 73 cpu 1715");
}

TEST(PartitionOfThreads, RetransmissionRefinesTheWait) {
  Served c;
  Endpoint& out = c.connected(kA);
  c.begin();
  out.send(11ms, get("/stock"));
  c.off(kA, 11100us, 231200us, 231200us, kRecvfrom).socket = out.socket();
  out.retransmit(211ms, static_cast<std::uint32_t>(get("/stock").size()));
  out.receive(231200us, 231250us, kOk);
  c.e.send(232ms, kOk);
  EXPECT_EQ(c.labels("/a").substr(0, 17), "down.retx~ 220100");
}

TEST(PartitionOfThreads, UploadAndReorder) {
  PartitionCase c;
  Endpoint& e = c.accepted(kA);
  const std::string body(3000, 'x'), head = "POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 3000\r\n\r\n";
  const auto n = static_cast<std::uint32_t>(head.size());
  c.off(kA, 5ms, 10ms, 10ms, kRecvfrom).socket = e.socket();
  e.receive(10ms, 10010us, head);
  c.off(kA, 10020us, 40ms, 40010us, kRecvfrom).socket = e.socket();
  e.arrive_at(30ms, n + 1000u, 2000);  // the first thousand was lost
  e.arrive_at(40ms, n, 1000);
  e.read(40020us, body);
  e.send(41ms, kOk);
  EXPECT_EQ(c.labels("/up"), "net.upload 19980 net.reorder 10000 sched.runq 10 cpu 1010");
}

// The header is sent at once; the rest waits in the server's kernel until the client acknowledges it, 40 ms later.
TEST(PartitionOfThreads, HeldBackByNagle) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  for (const Duration written : {Duration(10200us), Duration(30ms)}) {
    PartitionCase c;
    Opening here, there;
    here.thread = {20, 21};
    here.origin = formats::Origin::connected;
    here.local = "10.0.0.1:50000";
    here.remote = "10.0.0.3:80";
    there.thread = kA;
    there.local = here.remote;
    there.remote = here.local;
    there.out = here.in;
    there.in = here.out;
    Endpoint& client = c.s.open(0ms, here);
    Endpoint& server = c.s.open(0ms, there);
    client.send(1ms, get("/small"));
    c.off(here.thread, 1100us, 15ms, 15050us, kRecvfrom).socket = client.socket();
    c.off(here.thread, 15200us, 65ms, 65050us, kRecvfrom).socket = client.socket();
    server.receive(6ms, 6100us, get("/small"));
    server.send(10ms, head);
    server.send(written, "ab");
    client.receive(15ms, 15100us, head);
    client.arrive(64990us, 2);
    client.read(65100us, "ab");
    const std::string labels = c.labels("/small", model::Role::client);
    // Written late: it was held back for 25 ms at most, which is too little to tell.
    if (written < 20ms)
      EXPECT_NE(labels.find("net.nagle~ 39790"), labels.npos) << labels;
    else
      EXPECT_EQ(labels.find("net.nagle"), labels.npos) << labels;
  }
}

// On one machine bytes arrive before the send returns: the acknowledgement could be there when the rest is written.
TEST(PartitionOfThreads, HeldBackByADelayedAcknowledgement) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  struct {
    Duration arrives;
    bool client_sends, held;
  } const cases[] = {{50ms, false, true},
                     {50ms, true, false},    // its segment acknowledges
                     {41ms, false, false}};  // no acknowledgement is delayed by so little
  for (const auto& expected : cases) {
    PartitionCase c;
    Opening here, there;
    here.thread = {20, 21};
    here.origin = formats::Origin::connected;
    here.local = "10.0.0.1:50000";
    here.remote = "10.0.0.3:80";
    there.thread = kA;
    there.local = here.remote;
    there.remote = here.local;
    there.out = here.in;
    there.in = here.out;
    Endpoint& client = c.s.open(0ms, here);
    Endpoint& server = c.s.open(0ms, there);
    client.send(1ms, get("/small"));
    c.off(here.thread, 1100us, 8980us, 9ms, kRecvfrom).socket = client.socket();
    server.receive(1010us, 8ms, get("/small"));
    client.receive(8980us, 9100us, head);
    server.send(9ms, head);
    server.send(9300us, "ab");
    c.off(here.thread, 9200us, expected.arrives + 10us, expected.arrives + 50us, kRecvfrom).socket = client.socket();
    if (expected.client_sends) client.send(20ms, get("/next"));
    client.arrive(expected.arrives, 2);
    client.read(expected.arrives + 100us, "ab");
    const std::string labels = c.labels("/small", model::Role::client);
    if (expected.held)
      EXPECT_NE(labels.find("net.nagle~ 40700"), labels.npos) << labels;
    else
      EXPECT_EQ(labels.find("net.nagle"), labels.npos) << labels;
  }
}

TEST(PartitionOfThreads, ResponseThatNobodyTakes) {
  Served c;
  c.begin();
  c.e.send(12ms, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
  c.off(kA, 12100us, 32ms, 32020us, kSendto).socket = c.e.socket();
  c.e.send(32100us, "cd");
  EXPECT_EQ(c.labels("/a"), "send.sndbuf~ 19900 q.notice 12 sched.runq 43 cpu 2145");
}

// If TCP recorded why it accepted no bytes, that reason is used.
TEST(PartitionOfThreads, ResponseThatTcpDoesNotTake) {
  struct {
    formats::StallKind what;
    std::uint32_t percent;
    std::string label;
  } const cases[] = {{formats::StallKind::peer_window, 100, "send.sndbuf"},
                     {formats::StallKind::peer_window, 60, "send.sndbuf~"},
                     {formats::StallKind::congestion, 0, "send.cwnd"},
                     {formats::StallKind::congestion, 40, "send.cwnd~"}};
  for (const auto& expected : cases) {
    Served c;
    c.begin();
    c.e.send(12ms, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    c.off(kA, 12100us, 32ms, 32020us, kSendto).socket = c.e.socket();
    c.s.add(32ms, kA, formats::Stall{expected.what, synth::kStart + 12100us, c.e.socket(), expected.percent});
    c.e.send(32100us, "cd");
    EXPECT_EQ(c.labels("/a"), expected.label + " 19900 q.notice 12 sched.runq 43 cpu 2145");
  }
}

TEST(PartitionOfThreads, RequestThatItsPeerDoesNotTake) {
  Served c;
  Endpoint& out = c.connected(kA);
  c.begin();
  out.send(11ms, "POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
  c.off(kA, 11100us, 21100us, 21150us, kSendto).socket = out.socket();
  c.s.add(21100us, kA, formats::Stall{formats::StallKind::peer_window, synth::kStart + 11100us, out.socket(), 97});
  out.send(21200us, "cd");
  c.off(kA, 21300us, 31300us, 31350us, kRecvfrom).socket = out.socket();
  out.receive(31300us, 31400us, kOk);
  c.e.send(32ms, kOk);
  EXPECT_EQ(c.labels("/a"), "down.wait 10000 down.zwnd 10000 q.notice 12 sched.runq 123 cpu 1865");
  EXPECT_EQ(c.path_of(c.culprit("/a", Label::down_zwnd).request), "/up");
}

TEST(PartitionOfThreads, InterruptsInItsTime) {
  Served c;
  c.begin();
  c.s.add(11ms, kA, formats::Stall{formats::StallKind::interrupt, synth::kStart + 10900us, 0, 3});
  c.off(kA, 12ms, 13ms, 13ms, kSleep);
  c.e.send(14ms, kOk);
  EXPECT_EQ(c.labels("/a"), "timer.sleep 1000 q.notice 12 sched.runq 23 cpu 2865 cpu.irq 100");
}

TEST(PartitionOfThreads, HeldUpInTheKernel) {
  Served c;
  c.begin();
  c.off(kA, 11ms, 21ms, 21010us, kRead).state = 2;
  formats::Stall disk;
  disk.what = formats::StallKind::block_io;
  disk.began = synth::kStart + 12ms;
  disk.where = 0x800001;
  c.s.add(21ms, kA, disk);
  c.off(kA, 22ms, 25ms, 25ms, -1).state = 2;  // a page fault without details
  c.e.send(26ms, kOk);
  EXPECT_EQ(c.labels("/a"), "io.disk 9000 io.blocked 1000 blocked.kernel 3000 q.notice 12 sched.runq 33 cpu 2955");
  EXPECT_EQ(c.culprit("/a", Label::io_disk).what, 0x800001u);
}

TEST(PartitionOfThreads, ThrottledUntilTheBlockLayerHadIt) {
  Served c;
  c.begin();
  const auto waits = [&c](Duration left, Duration queued, Duration done, std::int16_t syscall) {
    c.off(kA, left, done, done + 10us, syscall).state = 2;
    formats::Stall stall;
    stall.what = formats::StallKind::io_throttled;
    stall.began = synth::kStart + left;
    stall.where = 0xfe00000;
    c.s.add(queued, kA, stall);
    stall.what = formats::StallKind::block_io;
    stall.began = synth::kStart + queued;
    c.s.add(done, kA, stall);
  };
  waits(11ms, 71ms, 71200us, 18);
  waits(72ms, 82ms, 82300us, -1);  // a page fault that the kernel reported
  formats::Stall fault;
  fault.what = formats::StallKind::major_fault;
  fault.began = synth::kStart + 72ms;
  c.s.add(82310us, kA, fault);
  c.e.send(83ms, kOk);
  EXPECT_EQ(c.labels("/a"), "io.disk 200 io.throttled~ 70000 mem.majfault 300 q.notice 12 sched.runq 43 cpu 2445");
  EXPECT_EQ(c.culprit("/a", Label::io_throttled).what, 0xfe00000u);
}

TEST(PartitionOfThreads, HandedOverToASleepingWorker) {
  PartitionCase c;
  Endpoint& e = c.accepted(kA);
  c.off(kA, 5ms, 10ms, 10ms, kRecvfrom);
  e.receive(10ms, 10010us, get("/job"));
  c.off(kB, 2ms, 10500us, 10600us, kFutex, 0x9000, kA.tid);
  c.off(kB, 11ms, 16ms, 16ms, kSleep);
  e.by(kB).send(17ms, kOk);
  EXPECT_EQ(c.labels("/job"), "q.pool 490 timer.sleep 5000 sched.runq 100 cpu 1410");
}

// The worker waits for something to do, and reads what arrived once it is woken.
TEST(PartitionOfThreads, TakenByASleepingWorker) {
  PartitionCase c;
  Endpoint& e = c.accepted(kB);
  e.arrive(10ms, static_cast<std::uint32_t>(get("/job").size()));
  c.off(kB, 2ms, 10500us, 10600us, kFutex, 0x9000, kA.tid);
  e.read(10700us, get("/job"));
  e.send(12ms, kOk);
  EXPECT_EQ(c.labels("/job"), "q.pool~ 500 sched.runq 100 cpu 1400");
}

// The handler of /a answers, then sleeps and takes a lock before it reads the next request on its connection.
TEST(PartitionOfThreads, ItsThreadIsStillBusyWithTheRequestBefore) {
  Served c;
  c.begin();
  c.e.send(12ms, kOk);
  c.e.arrive(15ms, static_cast<std::uint32_t>(get("/b").size()));
  c.off(kA, 12100us, 40ms, 40100us, kSleep);
  c.off(kA, 41ms, 51ms, 51ms, kFutex, 0x7f00, kB.tid);
  c.e.read(52ms, get("/b"));
  c.e.send(53ms, kOk);
  EXPECT_EQ(c.labels("/b"), "q.pool~ 1900 lock.futex~ 10000 timer.sleep~ 25000 sched.runq~ 100 cpu 1000");
  EXPECT_EQ(c.path_of(c.culprit("/b", Label::q_pool).request), "/a");
}

TEST(PartitionOfThreads, HandedOverToABusyWorker) {
  PartitionCase c;
  Endpoint& first = c.accepted(kA);
  Endpoint& second = c.accepted(kC);
  c.off(kA, 5ms, 10ms, 10ms, kRecvfrom);
  c.off(kC, 5ms, 11ms, 11ms, kRecvfrom);
  first.receive(10ms, 10010us, get("/first"));
  c.off(kB, 2ms, 10100us, 10100us, kFutex, 0x9000, kA.tid);
  second.receive(11ms, 11010us, get("/second"));
  first.by(kB).send(30ms, kOk);
  second.by(kB).send(45ms, kOk);
  EXPECT_EQ(c.labels("/second"), "q.pool~ 18990 cpu 15010");
  EXPECT_EQ(c.path_of(c.culprit("/second", Label::q_pool).request), "/first");
}

TEST(PartitionOfThreads, LossIsExactlyWhereItIs) {
  Served c;
  c.begin();
  c.off(kA, 15ms, 16ms, 16ms, kSleep).missed = 2;  // since the previous interval, which ended at 10.035
  c.e.send(20ms, kOk);
  EXPECT_EQ(c.labels("/a"), "timer.sleep 1000 q.notice 12 sched.runq 23 cpu 4000 unexplained.lost 4965");
  Served d;
  d.begin();
  d.s.loss(12ms, 13ms, formats::Kind::off_cpu, 5, formats::LossCause::queue_full);
  d.e.send(20ms, kOk);
  EXPECT_EQ(d.labels("/a"), "q.notice 12 sched.runq 23 cpu 8965 unexplained.lost 1000");
}

TEST(PartitionOfThreads, WithoutWaitsNothingIsClaimed) {
  PartitionCase c;
  Endpoint& e = c.accepted(kA);
  e.receive(10ms, 10010us, get("/a"));
  e.send(12ms, kOk);
  EXPECT_EQ(c.labels("/a"), "unexplained.nocarrier 2000");
}

// Waits are left out from 2 s to 6 s, to keep a budget. The thread slept before, while it lasted, and after it.
struct PausedCase : PartitionCase {
  Endpoint& e = accepted(kA);
  void request(Duration at, const std::string& target) {
    e.receive(at, at + 10us, get(target));
    e.send(at + 2ms, kOk);
  }
  void wait(Duration from, Duration to, std::uint16_t missed = 0) {
    formats::OffCpu& o = off(kA, from, to, to, kRecvfrom);
    o.socket = e.socket();
    o.missed = missed;
  }
  void note(Duration at, const char* value) { s.add(at, {}, formats::Note{"tailcap.waits", value}); }
};

TEST(PartitionOfThreads, WaitsThatWereLeftOutForATime) {
  PausedCase c;
  c.wait(5ms, 10ms);
  c.request(10ms, "/a");
  c.request(1999ms, "/begins-before");
  c.note(2s, "off");
  c.request(3s, "/in");
  c.note(4s, "off");  // of a keyframe
  c.request(5999ms, "/ends-after");
  c.note(6s, "on");
  // The thread slept when waits were recorded again, and is first seen to wait when it is back from that.
  c.request(6100ms, "/not-seen-yet");
  c.wait(6103ms, 7s, 1);
  c.request(7s, "/b");
  c.wait(7003ms, 8s);
  c.request(8s, "/c");
  c.wait(8003ms, 9s);
  c.note(9s, "on");  // of a keyframe
  c.request(9s, "/d");
  EXPECT_EQ(c.labels("/a"), "cpu 2000");
  for (const char* target : {"/begins-before", "/in", "/ends-after", "/not-seen-yet"})
    EXPECT_EQ(c.labels(target), "unexplained.nocarrier 2000") << target;
  for (const char* target : {"/b", "/c", "/d"}) EXPECT_EQ(c.labels(target), "cpu 2000") << target;
}

// In a merged capture the times of all machines count, whichever it is that is back first.
TEST(PartitionOfThreads, WaitsThatWereLeftOutOnTwoMachines) {
  PausedCase c;
  c.wait(5ms, 10ms);
  c.request(10ms, "/a");
  c.note(1s, "off machine 2");
  c.note(2s, "off");
  c.note(3s, "on machine 2");
  c.request(3500ms, "/in");
  c.note(4s, "on");
  c.wait(4003ms, 5s, 1);
  c.request(5s, "/b");
  c.note(6s, "off machine 65");  // there is none
  c.wait(5003ms, 7s);
  c.request(7s, "/c");
  EXPECT_EQ(c.labels("/a"), "cpu 2000");
  EXPECT_EQ(c.labels("/in"), "unexplained.nocarrier 2000");
  for (const char* target : {"/b", "/c"}) EXPECT_EQ(c.labels(target), "cpu 2000") << target;
}

// A thread that began meanwhile is not known from its beginning on.
TEST(PartitionOfThreads, AThreadThatBeganWhileWaitsWereLeftOut) {
  PausedCase c;
  c.note(1s, "off");
  c.s.add(2s, kA, formats::TaskStart{});
  c.request(2500ms, "/in");
  c.note(3s, "on");
  c.request(3500ms, "/after");
  EXPECT_EQ(c.labels("/in"), "unexplained.nocarrier 2000");
  EXPECT_EQ(c.labels("/after"), "unexplained.nocarrier 2000");
}

TEST(PartitionOfThreads, WaitsThatAreLeftOutToTheEnd) {
  PausedCase c;
  c.wait(5ms, 10ms);
  c.request(10ms, "/a");
  c.note(1s, "off");
  c.request(20s, "/b");
  EXPECT_EQ(c.labels("/a"), "cpu 2000");
  EXPECT_EQ(c.labels("/b"), "unexplained.nocarrier 2000");
}

TEST(PartitionOfThreads, WaitingForHundredContinueKeepsPhasesExact) {
  PartitionCase d;
  Endpoint& e = d.accepted(kA);
  d.off(kA, 5ms, 10ms, 10ms, kRecvfrom).socket = e.socket();
  e.receive(10ms, 10010us, "POST /c HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  e.send(11ms, "HTTP/1.1 100 Continue\r\n\r\n");
  d.off(kA, 11010us, 20ms, 20ms, kRecvfrom).socket = e.socket();
  e.receive(20ms, 20010us, "abc");
  e.send(21ms, kOk);
  EXPECT_EQ(d.labels("/c"), "net.upload 8990 cpu 2010");
  for (const model::AccountPart& p : d.analysis().table.partitions.parts(d.analysis().table.rows.id(0)))
    if (p.label == Label::net_upload) {
      EXPECT_EQ(p.phase, model::Phase::read);
    }
}

// The thread slept when the recording began: that interval is not recorded, but its wake-up is.
TEST(PartitionOfThreads, AThreadThatWorksRunsUntilItsFirstWait) {
  for (const bool begun : {true, false}) {
    PartitionCase c;
    if (begun) c.s.clock(1ms, 1'700'000'000'000'000'000);
    Endpoint& in = c.accepted({10, 77});
    in.receive(10ms, 10ms, get("/spin"));
    in.send(20ms, kOk);
    c.off({10, 77}, 21ms, 30ms, 30ms, kRecvfrom);
    EXPECT_EQ(c.labels("/spin"), begun ? "cpu 10000" : "unexplained.nocarrier 10000");
  }
}

// A worker that blocks in accept serves one connection after the other. Without the event it is not known when it took
// the connection from the queue; where another thread did, it had been handed over.
TEST(PartitionOfThreads, AWorkerThatAcceptsWhenItIsDone) {
  for (const std::uint32_t by : {0u, kA.tid, kB.tid}) {
    PartitionCase c;
    Endpoint& a = c.accepted(kA);
    Endpoint& b = c.accepted(kA);
    c.off(kA, 1ms, 5ms, 5ms, kAccept);
    a.receive(5ms, 6ms, get("/a"));
    a.send(30ms, kOk);
    b.arrive(10ms, static_cast<std::uint32_t>(get("/b").size()));
    if (by != 0) c.s.add(30500us, {kA.pid, by}, formats::Accept{b.socket(), -1});
    b.read(31ms, get("/b"));
    b.send(40ms, kOk);
    EXPECT_EQ(c.labels("/b"), by == kA.tid ? "q.accept 20500 q.pool~ 500 cpu 9000" : "q.pool~ 21000 cpu 9000") << by;
    EXPECT_EQ(c.path_of(c.culprit("/b", by == kA.tid ? model::Label::q_accept : model::Label::q_pool).request), "/a");
  }
}

constexpr Thread kNew{10, 77};

struct NewThread : PartitionCase {
  NewThread() {
    off(kA, 1ms, 2ms, 2ms, kRecvfrom);
    s.start(9ms, kNew, {10, 10}, "worker");
  }
  void waited(Duration until, std::uint16_t missed = 0) {
    formats::OffCpu& o = preempted(kNew, 9ms, until);
    o.state = 0x800;
    o.missed = missed;
  }
};

TEST(PartitionOfThreads, ANewThreadWaitsForItsFirstCpu) {
  for (const Duration arrived : {Duration(5ms), Duration(10ms)}) {
    NewThread c;
    c.waited(30ms);
    Endpoint& in = c.accepted(kNew);
    in.receive(arrived, 31ms, get("/spin"));
    c.preempted(kNew, 35ms, 36ms);
    in.send(40ms, kOk);
    EXPECT_EQ(c.labels("/spin"), arrived == 10ms ? "sched.preempted 1000 sched.runq 20000 cpu 9000"
                                                 : "q.accept~ 4000 sched.preempted 1000 sched.runq 21000 cpu 9000");
  }
}

// Older recorders do not tell how long that was: it is known to run from its first act on, or until its first wait.
TEST(PartitionOfThreads, ANewThreadWhoseFirstWaitIsNotTold) {
  NewThread c;
  Endpoint& in = c.accepted(kNew);
  in.receive(10ms, 31ms, get("/spin"));
  c.preempted(kNew, 35ms, 36ms);
  in.send(40ms, kOk);
  EXPECT_EQ(c.labels("/spin"), "sched.preempted 1000 sched.runq~ 21000 cpu 8000");
}

TEST(PartitionOfThreads, ANewThreadWhoseFirstWaitWasLost) {
  NewThread c;
  Endpoint& in = c.accepted(kNew);
  in.receive(10ms, 31ms, get("/spin"));
  c.preempted(kNew, 35ms, 36ms).missed = 1;
  in.send(40ms, kOk);
  EXPECT_EQ(c.labels("/spin"), "sched.preempted 1000 cpu 4000 unexplained.lost 25000");
}

}  // namespace
}  // namespace tailcap
