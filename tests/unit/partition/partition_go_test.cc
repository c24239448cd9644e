// Labels of requests served by goroutines, with and without goroutine states. Exact to the nanosecond.
#include "tests/unit/partition/partition_case.h"
#include "tests/unit/protocols/http2_wire.h"

namespace tailcap {
namespace {

using formats::GoPhase;
using formats::GoRunState;
using model::Label;

constexpr Thread kM1{10, 11}, kM2{10, 12};
constexpr std::uint64_t kG = 34;

struct GoCase : PartitionCase {
  GoCase() {
    formats::GoProgram program;
    program.version = "go1.22";
    program.offsets_from = "DWARF";
    program.parts = 1;
    s.add(0ms, kM1, program);
  }
  void runtime(Duration at, GoPhase phase) { s.add(at, kM1, formats::GoRuntime{phase, {}}); }
  void state(Duration at, Thread m, std::uint64_t goroutine, GoRunState run, std::string_view reason = {},
             std::uint64_t by = 0) {
    s.add(at, m, formats::GoState{goroutine, run, s.own(reason)}, by);
  }
  // A thread without a goroutine is off-CPU.
  formats::OffCpu& idle(Thread m, Duration left, Duration woken, Duration on) {
    return off(m, left, woken, on, kFutex, 0xc000048150);
  }
};

// The worked example, as far as events show it: a handler with one call, under a quota of 30 ms in 100 ms.
struct Worked : GoCase {
  explicit Worked(bool stops) {
    constexpr Duration t0 = 100ms;
    Endpoint& in = accepted(kM1).of(kG);
    Endpoint& out = connected(kM1).of(kG);
    const auto n = static_cast<std::uint32_t>(get("/go").size());
    in.arrive(t0, n);
    idle(kM1, t0 - 5ms, t0 + 12us, t0 + 35us);
    in.read(t0 + 60us, get("/go"));
    out.send(t0 + 450us, get("/down"));
    idle(kM1, t0 + 460us, t0 + 33410us, t0 + 33700us);
    out.arrive(t0 + 31200us, static_cast<std::uint32_t>(kOk.size()));
    if (stops) {
      runtime(t0 + 31000us, GoPhase::stop_begin);
      runtime(t0 + 31010us, GoPhase::stopped);
      runtime(t0 + 33400us, GoPhase::started);
    }
    out.read(t0 + 33710us, kOk);
    preempted(kM1, t0 + 34900us, t0 + 47900us, kG).throttled = true;
    in.send(t0 + 48312450ns, kOk);
  }
};

TEST(PartitionOfGoroutines, WorkedExample) {
  Worked c(true);
  // The goroutine is seen again after its read, 10 us after the thread's switch-in.
  EXPECT_EQ(
      c.labels("/go"),
      "down.wait 30750 q.notice 12 go.stw 2200 go.runnable~ 45 sched.throttled 13000 sched.runq 313 cpu 1992.450");
}

TEST(PartitionOfGoroutines, WorkedExampleWithoutStopsOfTheWorld) {
  Worked c(false);
  EXPECT_EQ(c.labels("/go"),
            "down.wait 30750 q.notice 12 go.runnable~ 2245 sched.throttled 13000 sched.runq 313 cpu 1992.450");
}

TEST(PartitionOfGoroutines, ParkedForNobodyKnowsWhat) {
  GoCase c;
  Endpoint& in = c.accepted(kM1).of(kG);
  c.idle(kM1, 5ms, 10010us, 10020us);
  in.receive(10ms, 10030us, get("/lock"));
  c.idle(kM1, 11ms, 30ms, 30020us);
  in.send(30120us, kOk);
  EXPECT_EQ(c.labels("/lock"), "go.park~ 19000 q.notice 10 go.runnable~ 10 sched.runq 30 cpu~ 1070");
}

// A wait of the thread without the goroutine is never the request's.
TEST(PartitionOfGoroutines, TheFutexOfAThreadIsNotTheRequests) {
  GoCase c;
  Endpoint& in = c.accepted(kM1).of(kG);
  c.idle(kM1, 5ms, 10ms, 10ms);
  in.receive(10ms, 10030us, get("/a"));
  c.idle(kM1, 11ms, 40ms, 40ms);
  in.by(kM2).send(30ms, kOk);
  EXPECT_EQ(c.labels("/a").find("lock.futex"), std::string::npos);
}

// Deep profile: every goroutine state was recorded.
TEST(PartitionOfGoroutines, StatesAreMeasured) {
  GoCase c;
  Endpoint& in = c.accepted(kM1).of(kG);
  c.idle(kM1, 5ms, 10010us, 10020us);
  c.state(10025us, kM1, kG, GoRunState::running);
  in.receive(10ms, 10030us, get("/deep"));
  c.state(11ms, kM1, kG, GoRunState::parked, "sync.Mutex.Lock");
  c.idle(kM1, 11010us, 21100us, 21200us);
  Endpoint& other = c.accepted(kM2).of(99);
  other.receive(8ms, 8010us, get("/holder"));
  c.state(21ms, kM2, kG, GoRunState::ready, {}, 99);
  other.send(40ms, kOk);
  c.state(21210us, kM1, kG, GoRunState::running);
  c.state(22ms, kM1, kG, GoRunState::parked, "sleep");
  c.state(27ms, kM2, kG, GoRunState::ready);
  c.runtime(27ms, GoPhase::stop_begin);
  c.runtime(28ms, GoPhase::started);
  c.state(28100us, kM1, kG, GoRunState::running);
  in.send(29ms, kOk);
  EXPECT_EQ(c.labels("/deep"),
            "lock.go.mutex 10000 timer.sleep 5000 q.notice 10 go.stw 1000 go.runnable 210 go.runnable~ 10 sched.runq "
            "110 cpu 2660");
  EXPECT_EQ(c.path_of(c.culprit("/deep", Label::lock_go_mutex).request), "/holder");
}

// An assist is the CPU time between its start and end on one thread; a start without an end does not count.
TEST(PartitionOfGoroutines, AssistsOfTheCollector) {
  GoCase c;
  Endpoint& in = c.accepted(kM1).of(kG);
  c.idle(kM1, 5ms, 10010us, 10020us);
  c.state(10025us, kM1, kG, GoRunState::running);
  in.receive(10ms, 10030us, get("/alloc"));
  const auto assist = [&c](Duration at, Thread m, std::string_view reason) {
    c.s.add(at, m, formats::GoRuntime{GoPhase::assist, reason}, kG);
  };
  assist(11ms, kM1, "");
  assist(12ms, kM1, "done");
  assist(13ms, kM1, "");
  c.preempted(kM1, 13100us, 13600us, kG);
  assist(14ms, kM1, "done");
  assist(15ms, kM2, "");
  assist(16ms, kM2, "done");  // the assist of another thread
  assist(17ms, kM1, "");
  c.state(18ms, kM1, kG, GoRunState::parked, "GC assist wait");
  c.state(19ms, kM2, kG, GoRunState::ready);
  c.state(19ms, kM1, kG, GoRunState::running);
  assist(20ms, kM1, "done");
  in.send(21ms, kOk);
  EXPECT_EQ(
      c.labels("/alloc"),
      "q.notice 10 go.gc_wait 1000 go.runnable~ 10 sched.preempted 500 sched.runq 10 cpu 7970 cpu.gc_assist 1500");
}

TEST(PartitionOfGoroutines, WithoutGoroutinesItIsNotKnown) {
  GoCase c;
  Endpoint& in = c.accepted(kM1);
  c.idle(kM1, 5ms, 10ms, 10ms);
  in.receive(10ms, 10030us, get("/a"));
  c.idle(kM1, 11ms, 30ms, 30ms);
  in.send(30100us, kOk);
  const std::string labels = c.labels("/a");
  EXPECT_EQ(labels.find("lock.futex"), std::string::npos);
  EXPECT_NE(labels.find("unexplained.nocarrier"), std::string::npos);
}

// Other goroutines read the request and write the response; only the handler's goroutine shows the waits.
struct Http2Case : GoCase {
  static constexpr std::uint64_t kServe = 5, kReads = 6, kHandler = 40;
  protocols::http2::Encoder requests, responses;
  Endpoint* in = nullptr;

  explicit Http2Case(bool handlers) {
    in = &accepted(kM1).of(kServe);
    idle(kM1, 500us, 600us, 700us);
    idle(kM1, 40ms, 41ms, 42ms);
    s.add(1ms, kM1, formats::GoCreate{kReads, {}, {}}, kServe);
    in->of(kReads).receive(2ms, 2ms, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + protocols::http2::settings());
    in->of(kServe).send(3ms, protocols::http2::settings());
    in->of(kReads).receive(
        10ms, 10ms,
        protocols::http2::headers(
            1, requests({{":method", "GET"}, {":path", "/stock"}, {":scheme", "http"}, {":authority", "h"}})));
    if (handlers) {
      s.add(10100us, kM1, formats::GoCreate{kHandler, {}, {}}, kServe);
      s.add(10200us, kM1, formats::GoHandler{0x1000, s.own("main.(*Stock).ServeHTTP")}, kHandler);
    }
  }
  void answer(Duration at) { in->of(kServe).send(at, protocols::http2::headers(1, responses({{":status", "200"}}))); }
};

TEST(PartitionOfGoroutines, OverHttp2TheHandlersGoroutineCounts) {
  Http2Case c(true);
  c.state(10ms, kM1, c.kHandler, GoRunState::ready, {}, c.kServe);
  c.state(11ms, kM1, c.kHandler, GoRunState::running);
  c.state(12ms, kM1, c.kHandler, GoRunState::parked, "sync.Mutex.Lock");
  c.state(30ms, kM1, c.kHandler, GoRunState::ready, {}, 99);
  c.state(31ms, kM1, c.kHandler, GoRunState::running);
  c.state(32ms, kM1, c.kServe, GoRunState::parked, "IO wait");
  c.answer(33ms);
  EXPECT_EQ(c.labels("/stock"), "lock.go.mutex 18000 go.runnable 2000 cpu 3000");
}

TEST(PartitionOfGoroutines, OverHttp2WhoHeldTheLockIsARequest) {
  Http2Case c(true);
  c.in->of(c.kReads).receive(
      10ms, 10500us,
      protocols::http2::headers(
          3, c.requests({{":method", "GET"}, {":path", "/holds"}, {":scheme", "http"}, {":authority", "h"}})));
  c.s.add(10600us, kM1, formats::GoCreate{41, {}, {}}, c.kServe);
  c.s.add(10700us, kM1, formats::GoHandler{0x1000, c.s.own("main.(*Stock).ServeHTTP")}, 41);
  c.state(12ms, kM1, c.kHandler, GoRunState::parked, "sync.Mutex.Lock");
  c.state(30ms, kM1, c.kHandler, GoRunState::ready, {}, 41);
  c.state(31ms, kM1, c.kHandler, GoRunState::running);
  c.answer(33ms);
  c.in->of(c.kServe).send(35ms, protocols::http2::headers(3, c.responses({{":status", "200"}})));
  EXPECT_EQ(c.path_of(c.culprit("/stock", Label::lock_go_mutex).request), "/holds");
}

TEST(PartitionOfGoroutines, OverHttp2WithoutAHandlerNobodyIsKnown) {
  Http2Case c(false);
  c.state(12ms, kM1, c.kServe, GoRunState::parked, "IO wait");
  c.state(32ms, kM1, c.kServe, GoRunState::running);
  c.answer(33ms);
  EXPECT_EQ(c.labels("/stock"), "unexplained.nocarrier 23000");
}

}  // namespace
}  // namespace tailcap
