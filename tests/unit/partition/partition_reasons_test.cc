// Waits whose reason needs more than the call: locks on files, stops of a JVM, sends that found no room.
#include "tests/unit/partition/partition_case.h"

namespace tailcap::partition_reasons_test {
namespace {

using model::Label;

constexpr Thread kA{10, 11}, kB{10, 12}, kLoop{10, 10}, kVm{10, 15};
constexpr std::int16_t kFcntl = 72, kFlock = 73;

struct Reasons : PartitionCase {
  // Thread kA begins to serve /a at 10060 µs.
  Endpoint& served(Thread thread, const std::string& target) {
    Endpoint& e = accepted(thread);
    e.arrive(10ms, static_cast<std::uint32_t>(get(target).size()));
    off(thread, 5ms, 10012us, 10035us, kRecvfrom).socket = e.socket();
    e.read(10060us, get(target));
    return e;
  }
  void named(Thread thread, std::string_view name) {
    formats::TaskInfo info;
    info.comm = name;
    s.add(1ms, thread, info);
  }
};

TEST(PartitionOfReasons, ALockOnAFile) {
  for (const std::int16_t call : {kFlock, kFcntl}) {
    Reasons c;
    Endpoint &a = c.served(kA, "/a"), &b = c.served(kB, "/b");
    c.off(kA, 11ms, 21ms, 21010us, call, 5, kB.tid);
    c.off(kB, 12ms, 20ms, 20100us, kSleep);
    a.send(22ms, kOk);
    b.send(23ms, kOk);
    EXPECT_EQ(c.labels("/a"), "lock.file 10000 q.notice 12 sched.runq 33 cpu 1955");
    EXPECT_EQ(c.path_of(c.culprit("/a", Label::lock_file).request), "/b");
  }
}

TEST(PartitionOfReasons, WhatTheHolderOfAFileDid) {
  Reasons c;
  Endpoint &a = c.served(kA, "/a"), &b = c.served(kB, "/b");
  c.off(kA, 11ms, 21ms, 21010us, kFlock, 5, kB.tid);
  c.off(kB, 11ms, 20ms, 20100us, kSleep);
  a.send(22ms, kOk);
  b.send(23ms, kOk);
  EXPECT_EQ(c.chains("/a"),
            "lock.file /b > timer.sleep: 9000\nlock.file /b > cpu: 900\nlock.file /b > sched.runq: 100\n");
}

// Its request had its answer before it released the file.
TEST(PartitionOfReasons, TheHolderOfAFileHadAnswered) {
  Reasons c;
  Endpoint &a = c.served(kA, "/a"), &b = c.served(kB, "/b");
  c.off(kA, 11ms, 21ms, 21010us, kFlock, 5, kB.tid);
  b.send(20ms, kOk);
  a.send(22ms, kOk);
  EXPECT_EQ(c.path_of(c.culprit("/a", Label::lock_file).request), "/b");
}

// What the releaser did before the wait is no sign that its request held the file.
TEST(PartitionOfReasons, TheHolderOfAFileWasElsewhere) {
  Reasons c;
  Endpoint &a = c.served(kA, "/a"), &b = c.served(kB, "/b");
  b.send(10500us, kOk);
  c.off(kA, 11ms, 21ms, 21010us, kFlock, 5, kB.tid);
  a.send(22ms, kOk);
  const model::Culprit culprit = c.culprit("/a", Label::lock_file);
  EXPECT_EQ(culprit.request, model::ExchangeId{});
  EXPECT_EQ(culprit.tid, kB.tid);
}

// The lengths are SQLite's own (sqliteDefaultBusyCallback); a program that backs off otherwise sleeps.
TEST(PartitionOfReasons, SqliteTriesAgain) {
  for (const bool sqlite : {true, false}) {
    Reasons c;
    Endpoint& a = c.served(kA, "/a");
    Duration at = 11ms;
    for (const int ms : {1, 2, sqlite ? 5 : 4, sqlite ? 10 : 8}) {
      auto& sleep = c.off(kA, at, at + std::chrono::milliseconds(ms), at + std::chrono::milliseconds(ms), kSleep);
      sleep.timed = true;
      sleep.argument1 = static_cast<std::uint64_t>(ms) * 1'000'000;
      at += std::chrono::milliseconds(ms) + 100us;
    }
    a.send(40ms, kOk);
    EXPECT_EQ(c.labels("/a"), sqlite ? "lock.file~ 18000 q.notice 12 sched.runq 23 cpu 11965"
                                     : "timer.sleep 15000 q.notice 12 sched.runq 23 cpu 14965");
  }
}

// Such as a virus scanner that lets an open() go on; one thread of the service wakes another for many reasons.
TEST(PartitionOfReasons, AnotherProcessEndsAWait) {
  constexpr std::int16_t kOpenat = 257;
  for (const Thread waker : {Thread{900, 901}, kB}) {
    Reasons c;
    Endpoint& a = c.served(kA, "/a");
    Endpoint& b = c.served(kB, "/b");
    c.off(kA, 11ms, 21ms, 21010us, kOpenat, 0, waker.tid).state = 2;
    a.send(22ms, kOk);
    b.send(23ms, kOk);
    EXPECT_EQ(c.labels("/a"), "io.blocked 10000 q.notice 12 sched.runq 33 cpu 1955");
    EXPECT_EQ(c.culprit("/a", Label::io_blocked).tid, waker.pid == 900 ? 901u : 0u);
  }
}

TEST(PartitionOfReasons, AStopOfAJvm) {
  Reasons c;
  c.named(kVm, "VM Thread");
  Endpoint& a = c.served(kA, "/a");
  c.off(kA, 11ms, 21ms, 21010us, kFutex, 0x1000, kVm.tid);
  a.send(22ms, kOk);
  EXPECT_EQ(c.labels("/a"), "q.notice 12 runtime.stw 10000 sched.runq 33 cpu 1955");
  EXPECT_EQ(c.culprit("/a", Label::runtime_stw).tid, kVm.tid);
}

// Where the thread has another name, it is a lock.
TEST(PartitionOfReasons, AThreadThatIsNotTheVm) {
  Reasons c;
  c.named(kVm, "GC Thread#0");
  Endpoint& a = c.served(kA, "/a");
  c.off(kA, 11ms, 21ms, 21010us, kFutex, 0x1000, kVm.tid);
  a.send(22ms, kOk);
  EXPECT_EQ(c.labels("/a"), "lock.futex 10000 q.notice 12 sched.runq 33 cpu 1955");
}

// The loop that was to pass the request on was held up.
TEST(PartitionOfReasons, AWorkerThatIsNotAskedDuringAStopOfAJvm) {
  Reasons c;
  c.named(kVm, "VM Thread");
  Endpoint& e = c.accepted(kA);
  c.off(kLoop, 5ms, 10002us, 10003us, kEpollWait);
  c.off(kLoop, 10004us, 20ms, 20010us, kFutex, 0x1000, kVm.tid);
  c.off(kA, 5ms, 20100us, 20200us, kFutex, 0x2000, kLoop.tid);
  c.off(kLoop, 20300us, 40ms, 40010us, kEpollWait);
  e.arrive(10ms, static_cast<std::uint32_t>(get("/a").size()));
  e.read(20300us, get("/a"));
  e.send(21ms, kOk);
  EXPECT_EQ(c.labels("/a"), "q.pool~ 104 runtime.stw~ 9996 sched.runq 100 cpu 800");
}

// A response of three pieces on a loop: a pause of 10 ms after each of the first two.
std::string piecewise(bool recorded, bool full, std::size_t bytes) {
  Reasons c;
  Endpoint& e = c.accepted(kLoop);
  if (recorded) c.s.add(1ms, {}, formats::Note{formats::kFullSendsNote, "1"});
  c.off(kLoop, 5ms, 10ms, 10ms, kEpollWait);
  e.receive(10ms, 10ms, get("/a"));
  const std::string body(bytes, 'x');
  e.send(11ms, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(2 * bytes) + "\r\n\r\n" + body);
  if (full)
    c.s.add(11010us, kLoop, formats::Stall{formats::StallKind::send_full, synth::kStart + 11010us, e.socket(), 0});
  c.off(kLoop, 11100us, 21100us, 21100us, kEpollWait).woken_in = formats::WokenIn::interrupt;
  e.send(22ms, body);
  return c.labels("/a");
}

TEST(PartitionOfReasons, APauseInAResponseIsAWaitForRoomOnlyWhereThereWasNone) {
  EXPECT_EQ(piecewise(true, true, 10).find("send.sndbuf~ 10"), 0u) << piecewise(true, true, 10);
  EXPECT_EQ(piecewise(true, false, 10).find("send."), std::string::npos) << piecewise(true, false, 10);
  EXPECT_EQ(piecewise(true, false, 20000).find("send."), std::string::npos) << piecewise(true, false, 20000);
  // Older recorders do not tell.
  EXPECT_EQ(piecewise(false, false, 20000).find("send.sndbuf~ 10"), 0u) << piecewise(false, false, 20000);
  EXPECT_EQ(piecewise(false, false, 10).find("send."), std::string::npos) << piecewise(false, false, 10);
}

// A message of PostgreSQL.
std::string message(char type, const std::string& body) {
  return type + std::string("\0\0\0", 3) + static_cast<char>(body.size() + 4) + body;
}
const std::string kReady = message('Z', "I");

// A process for each session, as PostgreSQL has them; the first one waits until the other wakes it.
TEST(PartitionOfReasons, ASessionWaitsForTheTransactionOfAnother) {
  constexpr Thread kFirst{20, 20}, kSecond{30, 30};
  for (const bool at_work : {true, false}) {
    Reasons c;
    c.study = true;
    Endpoint &a = c.accepted(kFirst), &b = c.accepted(kSecond);
    for (Endpoint* e : {&a, &b})
      e->receive(1ms, 1ms, std::string("\0\0\0\x12\0\3\0\0user\0***\0\0", 18))
          .send(2ms, message('R', std::string(4, '\0')) + kReady);
    a.receive(10ms, 10ms, message('Q', std::string("UPDATE stock SET n = 1\0", 23)));
    c.off(kSecond, 3ms, 20ms, 20010us, kEpollWait).file = formats::FileKind::epoll;
    c.off(kFirst, 11ms, 21ms, 21010us, kEpollWait, 5, kSecond.tid).file = formats::FileKind::epoll;
    b.receive(at_work ? 20ms : 22ms, at_work ? 20ms : 22ms, message('Q', std::string("COMMIT\0", 7)));
    b.send(23ms, message('C', std::string("COMMIT\0", 7)) + kReady);
    a.send(24ms, message('C', std::string("UPDATE 1\0", 9)) + kReady);
    const std::string labels = c.labels("stock SET n = ?");
    EXPECT_EQ(labels.find("lock.session~ 10000"), at_work ? 0u : std::string::npos) << labels;
    const model::ExchangeId holder = c.culprit("stock SET n = ?", Label::lock_session).request;
    EXPECT_EQ(holder.connection != 0, at_work);
    // Before its COMMIT came, that session had nothing to do: its client is not recorded.
    if (at_work) {
      EXPECT_EQ(c.chains("stock SET n = ?"),
                "lock.session > net.idle …: 9000\nlock.session > cpu: 990\nlock.session > sched.runq: 10\n");
    }
    for (const model::Request row : c.analysis().table.rows) {
      if (row.id == holder) {
        EXPECT_EQ(c.analysis().table.texts[row.method], "COMMIT");
      }
    }
  }
}

}  // namespace
}  // namespace tailcap::partition_reasons_test
