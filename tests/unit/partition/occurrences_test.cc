// How often the carrier of a request waited: the scenario is the truth.
#include "tests/unit/partition/partition_case.h"

namespace tailcap::occurrences_test {
namespace {

using formats::GoPhase;
using formats::GoRunState;
using model::NotCounted;
using model::Occurrence;

constexpr Thread kA{10, 11}, kB{10, 12};
constexpr std::uint64_t kG = 34;

Occurrence times(std::int32_t n) { return {n, NotCounted::counted}; }
Occurrence unknown(NotCounted why) { return {-1, why}; }

struct Served : PartitionCase {
  Endpoint& e = accepted(kA);
  Served() {
    e.arrive(10ms, static_cast<std::uint32_t>(get("/a").size()));
    off(kA, 5ms, 10012us, 10035us, kRecvfrom).socket = e.socket();  // the wait for the request is not of the request
    e.read(10060us, get("/a"));
  }
};

TEST(Occurrences, WaitsOfAThread) {
  Served c;
  c.off(kA, 11ms, 12ms, 12100us, kSleep);
  c.preempted(kA, 13ms, 14ms);
  c.off(kA, 15ms, 16ms, 16100us, kFutex, 0x1000);
  c.e.send(20ms, kOk);
  c.off(kA, 21ms, 22ms, 22100us, kSleep);
  EXPECT_EQ(c.occurrences("/a").waits, times(3));
  EXPECT_EQ(c.occurrences("/a").wake_ups, times(2));
  EXPECT_EQ(c.occurrences("/a").collections, unknown(NotCounted::not_of_go));
}

// A wait has the label under which it began, whatever comes after it: here the CPU that it then waits for.
TEST(Occurrences, WaitsByLabel) {
  using ByLabel = std::vector<std::pair<model::Label, std::int32_t>>;
  Served c;
  c.off(kA, 11ms, 12ms, 12100us, kSleep);
  c.preempted(kA, 13ms, 14ms);
  c.off(kA, 15ms, 16ms, 16100us, kSleep);
  c.off(kA, 17ms, 18ms, 18100us, kFutex, 0x1000);
  c.e.send(20ms, kOk);
  c.off(kA, 21ms, 22ms, 22100us, kSleep);
  EXPECT_EQ(
      c.occurrences("/a").by_label,
      (ByLabel{{model::Label::timer_sleep, 2}, {model::Label::sched_preempted, 1}, {model::Label::lock_futex, 1}}));
}

TEST(Occurrences, WhereWaitsAreNotKnownTheirLabelsAreNot) {
  Served c;
  c.off(kA, 11ms, 12ms, 12100us, kSleep);
  c.off(kA, 15ms, 16ms, 16100us, kSleep).missed = 1;
  c.e.send(20ms, kOk);
  EXPECT_TRUE(c.occurrences("/a").by_label.empty());
}

TEST(Occurrences, NoWaits) {
  Served c;
  c.e.send(20ms, kOk);
  EXPECT_EQ(c.occurrences("/a").waits, times(0));
  EXPECT_EQ(c.occurrences("/a").wake_ups, times(0));
}

TEST(Occurrences, AWakeUpThatWasNotSeen) {
  Served c;
  c.off(kA, 11ms, 12ms, 12100us, kSleep).runnable = formats::kNoTime;
  c.e.send(20ms, kOk);
  EXPECT_EQ(c.occurrences("/a").waits, times(1));
  EXPECT_EQ(c.occurrences("/a").wake_ups, times(1)) << "it ran again";
}

TEST(Occurrences, WaitsThatWereLost) {
  Served c;
  c.off(kA, 15ms, 16ms, 16100us, kSleep).missed = 1;
  c.e.send(20ms, kOk);
  EXPECT_EQ(c.occurrences("/a").waits, unknown(NotCounted::lost));
}

TEST(Occurrences, HandedOver) {
  for (const std::uint32_t waker : {kA.tid, 0u}) {
    Served c;
    c.off(kA, 11ms, 12ms, 12100us, kSleep);
    c.off(kA, 13500us, 30ms, 30100us, kFutex, 0x2000);
    c.off(kB, 2ms, 13ms, 13100us, kFutex, 0x1000, waker);
    c.off(kB, 14ms, 15ms, 15100us, kSleep);
    c.off(kB, 16ms, 17ms, 17100us, kSleep);
    c.e.by(kB).send(20ms, kOk);
    // What the first thread does once it has woken the second is not of the request.
    EXPECT_EQ(c.occurrences("/a").waits, waker != 0 ? times(3) : unknown(NotCounted::carrier));
  }
}

TEST(Occurrences, AnEventLoop) {
  PartitionCase c;
  Endpoint& e = c.accepted(kA);
  c.off(kA, 5ms, 10012us, 10035us, kEpollWait);
  e.receive(10ms, 10060us, get("/a"));
  c.off(kA, 11ms, 12ms, 12100us, kFutex, 0x1000);
  e.send(20ms, kOk);
  EXPECT_EQ(c.occurrences("/a").waits, unknown(NotCounted::loop));
}

TEST(Occurrences, WaitsThatWereNotRecorded) {
  PartitionCase c;
  Endpoint& e = c.accepted(kA);
  e.receive(10ms, 10060us, get("/a"));
  e.send(20ms, kOk);
  EXPECT_EQ(c.occurrences("/a").waits, unknown(NotCounted::not_asked));
  EXPECT_EQ(c.occurrences("/a").wake_ups, unknown(NotCounted::not_asked));
}

struct GoService : PartitionCase {
  explicit GoService(std::uint8_t parts) {
    formats::GoProgram program;
    program.version = "go1.22";
    program.parts = parts;
    s.add(0ms, kA, program);
  }
  void state(Duration at, Thread m, GoRunState run) { s.add(at, m, formats::GoState{kG, run, "sleep"}, 0); }
  void collection(Duration at) { s.add(at, kB, formats::GoRuntime{GoPhase::gc_begin, {}}); }
};

constexpr auto kCollector = static_cast<std::uint8_t>(formats::GoPart::runtime);
constexpr auto kGoroutines = static_cast<std::uint8_t>(formats::GoPart::goroutines);

TEST(Occurrences, CollectionsThatBeginMeanwhile) {
  for (const std::uint8_t parts : {kCollector, kGoroutines}) {
    GoService c(parts);
    Endpoint& e = c.accepted(kA).of(kG);
    c.off(kA, 5ms, 10012us, 10035us, kFutex, 0xc000048150);
    c.collection(9ms);
    e.receive(10ms, 10060us, get("/a"));
    c.collection(11ms);
    c.collection(15ms);
    e.send(20ms, kOk);
    c.collection(21ms);
    EXPECT_EQ(c.occurrences("/a").collections, parts == kCollector ? times(2) : unknown(NotCounted::not_of_go));
    EXPECT_EQ(c.occurrences("/a").waits, unknown(NotCounted::states));
  }
}

TEST(Occurrences, WaitsOfAGoroutine) {
  GoService c(kGoroutines);
  Endpoint& e = c.accepted(kA).of(kG);
  c.state(5ms, kA, GoRunState::parked);
  c.off(kA, 5100us, 10012us, 10035us, kFutex, 0xc000048150);
  c.state(10020us, kB, GoRunState::ready);
  c.state(10040us, kA, GoRunState::running);
  e.receive(10ms, 10060us, get("/a"));
  c.state(11ms, kA, GoRunState::parked);
  c.off(kA, 11100us, 12ms, 12100us, kFutex, 0xc000048150);  // the thread waits, the goroutine is not on it
  c.state(12ms, kB, GoRunState::ready);
  c.state(12150us, kA, GoRunState::running);
  c.off(kA, 13ms, 14ms, 14100us, kSleep, 0, 0, kG);  // in a system call of the goroutine
  c.preempted(kA, 15ms, 15500us, kG);
  c.state(16ms, kA, GoRunState::ready);  // taken from it by Go's scheduler
  c.state(17ms, kA, GoRunState::running);
  e.send(20ms, kOk);
  c.state(21ms, kA, GoRunState::parked);
  EXPECT_EQ(c.occurrences("/a").waits, times(4));
  EXPECT_EQ(c.occurrences("/a").wake_ups, times(2));
}

}  // namespace
}  // namespace tailcap::occurrences_test
