// Goroutines in constructed events: serving, run-queue latency, outliving their request, how busy processes are, how
// they end.
#include <gtest/gtest.h>

#include "analyze/pipeline/pipeline.h"
#include "analyze/report/go/go_grids.h"
#include "analyze/report/sections/incident_grid.h"
#include "analyze/tail/go/use.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::go_tables_test {
namespace {

using namespace std::chrono_literals;
using formats::GoPanicStep;
using formats::GoRunState;
using model::GoModel;
using synth::Duration;
using synth::Endpoint;
using synth::Thread;

constexpr Thread kA{100, 101}, kMain{100, 100};
constexpr std::uint8_t kDefault = 1 | 2 | 4 | 16 | 64 | 128, kDeep = kDefault | 8;
const std::string kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

struct Service {
  synth::Scenario s;
  std::uint16_t ports = 0;

  explicit Service(std::uint8_t parts, std::uint16_t processors = 2) { program(0ms, parts, processors); }
  void program(Duration at, std::uint8_t parts, std::uint16_t processors = 2, std::uint32_t pid = 100) {
    s.add(at, Thread{pid, pid}, formats::GoProgram{"/bin/shop", "go1.22.3", "DWARF", "", 160, parts, processors});
  }
  Endpoint& accepted(Thread thread = kA) {
    synth::Opening o;
    o.thread = thread;
    o.remote = "10.0.0.2:" + std::to_string(40000 + ports++);
    return s.open(0ms, o);
  }
  void serve(Endpoint& at, Duration from, Duration to, std::uint64_t goroutine) {
    at.of(goroutine).receive(from, from, kGet).send(to, kOk);
  }
  void made(Duration at, std::uint64_t creator, std::uint64_t child, std::string_view function = "main.refill") {
    s.add(at, kA, formats::GoCreate{child, function, "main.cart"}, creator);
  }
  void ended(Duration at, std::uint64_t goroutine) { s.add(at, kA, formats::GoExit{goroutine}); }
  void state(Duration at, std::uint64_t goroutine, GoRunState state, std::string_view reason = {}) {
    s.add(at, kA, formats::GoState{goroutine, state, reason});
  }
  model::Study study(model::GoLimits limits = {}) {
    pipeline::Options options;
    options.go = limits;
    auto preamble = synth::plain_preamble();
    preamble.cpus = 4;
    return pipeline::analyze(preamble, s.with_end(), options).study;
  }
  model::GoStudy go(model::GoLimits limits = {}) {
    const model::Study all = study(limits);
    EXPECT_EQ(all.go.size(), 1u);
    return all.go.at(0);
  }
};

TEST(GoUse, OneGoroutineForEachConnection) {
  Service p(kDefault);
  Endpoint &one = p.accepted(), &two = p.accepted();
  for (int n = 0; n < 10; ++n) p.serve(one, 1ms + n * 10ms, 2ms + n * 10ms, 20);
  p.serve(two, 5ms, 6ms, 21);
  const auto use = p.go().use.at(0);
  EXPECT_EQ(use.model, GoModel::per_connection);
  EXPECT_EQ(use.requests, 11u);
  EXPECT_EQ(use.unknown, 0u);
  EXPECT_EQ(use.goroutines, 2u);
  EXPECT_EQ(use.connections, 2u);
  EXPECT_EQ(use.median, 1u);
  EXPECT_EQ(use.most, 10u);
  EXPECT_EQ(use.histogram, (std::array<std::uint64_t, 6>{1, 0, 1, 0, 0, 0}));
}

TEST(GoUse, OneForEachRequest) {
  Service p(kDefault);
  Endpoint& one = p.accepted();
  for (int n = 0; n < 4; ++n) p.serve(one, 1ms + n * 10ms, 2ms + n * 10ms, 20 + static_cast<std::uint64_t>(n));
  EXPECT_EQ(p.go().use.at(0).model, GoModel::per_request);
}

TEST(GoUse, WorkersTakeFromSeveralConnections) {
  Service p(kDefault);
  Endpoint &one = p.accepted(), &two = p.accepted();
  p.serve(one, 1ms, 2ms, 20);
  p.serve(two, 3ms, 4ms, 20);
  EXPECT_EQ(p.go().use.at(0).model, GoModel::workers);
}

TEST(GoUse, WorkersShareAConnection) {
  Service p(kDefault);
  Endpoint& one = p.accepted();
  p.serve(one, 1ms, 2ms, 20);
  p.serve(one, 3ms, 4ms, 20);
  p.serve(one, 5ms, 6ms, 21);
  EXPECT_EQ(p.go().use.at(0).model, GoModel::workers);
}

TEST(GoUse, NothingIsAssumed) {
  Service p(kDefault);
  p.serve(p.accepted(), 1ms, 2ms, 20);
  p.serve(p.accepted(), 3ms, 4ms, 21);
  EXPECT_EQ(p.go().use.at(0).model, GoModel::unknown) << "a request each, a connection each";
  Service other(kDefault);
  Endpoint& odd = other.accepted();
  odd.of(20).receive(1ms, 1ms, kGet);
  odd.of(21).send(2ms, kOk);
  const auto use = other.go().use.at(0);
  EXPECT_EQ(use.unknown, 1u) << "one reads, another one answers, and no handler was seen";
  EXPECT_EQ(use.model, GoModel::unknown);
}

TEST(GoUse, GrpcMethods) {
  EXPECT_TRUE(tail::go::is_grpc_method("example.org/pb._Cart_Get_Handler"));
  for (const char* other : {"", "main.", "main._Handler", "main.Cart_Handler", "main._Cart_Get_Handler.func1"})
    EXPECT_FALSE(tail::go::is_grpc_method(other)) << other;
}

TEST(GoDelays, FromReadyToRunning) {
  Service p(kDeep);
  p.serve(p.accepted(), 10ms, 30ms, 20);
  p.state(1ms, 7, GoRunState::ready);
  p.state(1ms + 500us, 7, GoRunState::running);
  p.state(12ms, 20, GoRunState::ready, "preempted");
  p.state(23ms, 20, GoRunState::running);
  p.state(24ms, 20, GoRunState::parked, "chan receive");
  p.state(25ms, 20, GoRunState::running);  // its wake-up was lost
  p.made(26ms, 20, 30);
  p.state(26ms + 2us, 30, GoRunState::running);
  p.state(40ms, 20, GoRunState::ready);  // never ran afterwards
  const auto g = p.go();
  ASSERT_TRUE(g.states_told);
  ASSERT_EQ(g.delays.size(), 2u);
  EXPECT_EQ(g.delays[0].route, "");
  EXPECT_EQ(g.delays[0].count, 3u);
  EXPECT_EQ(g.delays[0].median, 500us);
  EXPECT_EQ(g.delays[0].longest, 11ms);
  EXPECT_EQ(g.delays[0].histogram, (std::array<std::uint64_t, 9>{0, 1, 0, 1, 0, 0, 1, 0, 0}));
  EXPECT_EQ(g.delays[1].route, "GET /a");
  EXPECT_EQ(g.delays[1].count, 1u);
  EXPECT_EQ(g.delays[1].longest, 11ms);
}

TEST(GoDelays, NotWithoutTheDeepProfile) {
  Service p(kDefault);
  p.made(1ms, 1, 7);
  const auto study = p.study();
  EXPECT_FALSE(study.go.at(0).states_told);
  EXPECT_TRUE(study.go.at(0).delays.empty());
  const auto grids = report::go_grids(study);
  ASSERT_FALSE(grids.empty());
  EXPECT_NE(grids[0].notes.at(0).find("--profile deep"), std::string::npos) << grids[0].notes[0];
}

TEST(GoLeft, WhatOutlivesItsRequest) {
  Service p(kDefault);
  p.serve(p.accepted(), 10ms, 20ms, 20);
  p.made(5ms, 20, 40);
  p.made(5ms, 1, 41);  // before the request, by another goroutine
  p.made(11ms, 20, 30);
  p.ended(15ms, 30);     // ends in time
  p.made(12ms, 20, 31);  // stays
  p.made(13ms, 20, 32);
  p.ended(1015ms, 32);  // within a second after the end
  p.made(14ms, 20, 33);
  p.ended(1500ms, 33);                 // later
  p.made(15ms, 31, 34, "main.child");  // by a goroutine that the request started
  p.made(25ms, 20, 35);                // after the request
  p.s.task(3000ms, kMain, "shop");
  const auto g = p.go();
  ASSERT_TRUE(g.ends_told);
  EXPECT_EQ(g.left_in_doubt, 0u);
  ASSERT_EQ(g.left.size(), 2u);
  EXPECT_EQ(g.left[0].function, "main.refill");
  EXPECT_EQ(g.left[0].from, "main.cart");
  EXPECT_EQ(g.left[0].alive, 1u);
  EXPECT_EQ(g.left[0].late, 1u);
  EXPECT_EQ(g.left[0].requests, 1u);
  EXPECT_EQ(g.left[0].longest, 2980ms);
  EXPECT_EQ(g.left[1].function, "main.child");
  EXPECT_EQ(g.left[1].alive, 1u);
  model::GoLimits patient;
  patient.left_after = 5s;
  EXPECT_TRUE(p.go(patient).left.empty());
}

// A goroutine that may have ended unseen is not reported.
TEST(GoLeft, LostEndsAreDoubt) {
  Service p(kDefault);
  p.serve(p.accepted(), 10ms, 20ms, 20);
  p.made(11ms, 20, 30);
  p.s.loss(500ms, 510ms, formats::Kind::go_exit, 3);
  p.s.task(3000ms, kMain, "shop");
  const auto g = p.go();
  EXPECT_TRUE(g.left.empty());
  EXPECT_EQ(g.left_in_doubt, 1u);
}

TEST(GoLeft, PlacesLeftAloneAreDoubt) {
  Service p(kDefault);
  Endpoint& one = p.accepted();
  p.serve(one, 10ms, 20ms, 20);
  p.made(11ms, 20, 30);
  p.program(1000ms, kDefault & ~(2 | 64));
  p.program(1200ms, kDefault);
  p.serve(one, 1300ms, 1310ms, 20);
  p.made(1301ms, 20, 31);
  p.s.task(3000ms, kMain, "shop");
  const auto g = p.go();
  ASSERT_EQ(g.left.size(), 1u);
  EXPECT_EQ(g.left[0].count(), 1u) << "made after they came back";
  EXPECT_EQ(g.left_in_doubt, 1u);
}

// Any goroutine that first needs the collector's workers creates them.
TEST(GoLeft, TheRuntimesOwnAreNobodys) {
  Service p(kDefault);
  p.serve(p.accepted(), 10ms, 20ms, 20);
  p.s.add(11ms, kA, formats::GoRuntime{formats::GoPhase::gc_begin, {}}, 20);
  p.made(11ms + 1us, 20, 30, "");
  p.s.add(12ms, kA, formats::GoRuntime{formats::GoPhase::stop_begin, {}}, 20);
  p.s.add(13ms, kA, formats::GoCreate{31, "runtime.bgsweep", "runtime.gcenable"}, 20);
  p.made(14ms, 20, 32);
  p.s.task(3000ms, kMain, "shop");
  const auto g = p.go();
  ASSERT_EQ(g.left.size(), 1u);
  EXPECT_EQ(g.left[0].count(), 1u);
}

TEST(GoLeft, NotWithoutEnds) {
  Service p(kDefault & ~64);
  p.serve(p.accepted(), 10ms, 20ms, 20);
  p.made(11ms, 20, 30);
  p.s.task(3000ms, kMain, "shop");
  EXPECT_FALSE(p.go().ends_told);
  EXPECT_TRUE(p.go().left.empty());
}

TEST(GoBusy, SecondBySecond) {
  Service p(kDeep, 2);
  p.state(500ms, 7, GoRunState::running);
  p.state(900ms, 8, GoRunState::running);
  p.state(2000ms, 8, GoRunState::parked, "chan receive");
  p.state(3500ms, 7, GoRunState::ready, "preempted");
  p.s.off_cpu(kA, {1200ms, 1200ms, 1300ms});  // preempted by the kernel: Go still counts the goroutine as running
  p.s.task(5100ms, kMain, "shop");
  const auto g = p.go();
  ASSERT_EQ(g.processors, 2);
  ASSERT_EQ(g.busy.size(), 4u) << "the first second is not whole";
  EXPECT_NEAR(g.busy[0].goroutines, 1.0, 1e-9);
  EXPECT_NEAR(g.busy[1].goroutines, 0.5, 1e-9);
  EXPECT_NEAR(g.busy[2].goroutines, 0.25, 1e-9);
  EXPECT_NEAR(g.busy[3].goroutines, 0, 1e-9);
  EXPECT_EQ(g.busy_seconds, 1u);
  model::GoLimits half;
  half.busy = 0.5;
  EXPECT_EQ(p.go(half).busy_seconds, 2u);
}

TEST(GoBusy, BlockedInTheKernelIsNoRunning) {
  Service p(kDeep, 1);
  p.state(900ms, 7, GoRunState::running);
  formats::OffCpu off;
  off.left = synth::kStart + 1200ms;
  off.runnable = synth::kStart + 1800ms;
  off.state = 1;
  p.s.add(1900ms, kA, off, 7);
  p.s.task(3000ms, kMain, "shop");
  const auto g = p.go();
  ASSERT_GE(g.busy.size(), 1u);
  EXPECT_NEAR(g.busy[0].goroutines, 0.4, 1e-9);
}

TEST(GoBusy, ThreadsOfTheCpusThatTheyMayUse) {
  Service p(kDefault, 2);
  p.s.add(0ms, kMain, formats::TaskInfo{1, "shop", "", "", "/pod/shop"});
  p.s.add(0ms, {}, formats::CpuQuota{"/pod", 100ms, 50ms, 1, 0, {}});
  p.s.off_cpu(kA, {800ms, 900ms, 1000ms});
  p.s.off_cpu(kA, {1250ms, 1900ms, 2000ms});
  p.s.task(2100ms, kMain, "shop");
  const auto g = p.go();
  ASSERT_EQ(g.busy.size(), 1u);
  EXPECT_NEAR(g.busy[0].threads, 0.5, 1e-9) << "a quarter of a second, of half a CPU";
  EXPECT_LT(g.busy[0].goroutines, 0) << "not told";
}

TEST(Incidents, APanicItsRequestsAndTheSuccessor) {
  Service p(kDefault);
  Endpoint& done = p.accepted();
  p.serve(done, 10ms, 20ms, 20);
  p.accepted().of(21).receive(500ms, 500ms, kGet);               // under way
  p.accepted().of(22).receive(100ms, 100ms, kGet).close(200ms);  // no longer under way
  p.s.add(600ms, kA, formats::GoPanic{GoPanicStep::began, "main.other;main.recovers"}, 30);
  p.s.add(900ms, kA, formats::GoPanic{GoPanicStep::began, "main.serve;main.collapse"}, 21);
  p.s.add(901ms, kA, formats::GoPanic{GoPanicStep::fatal, "main.serve;main.collapse;runtime.gopanic"}, 21);
  p.s.exit(905ms, kMain, 2 << 8);
  p.s.start(1200ms, Thread{200, 200}, Thread{1, 1}, "shop");
  p.serve(p.accepted(Thread{200, 200}), 1500ms, 1600ms, 5);
  const auto study = p.study();
  ASSERT_EQ(study.incidents.size(), 2u);
  const auto &recovered = study.incidents[0], &death = study.incidents[1];
  EXPECT_EQ(recovered.kind, model::IncidentKind::panicked);
  EXPECT_EQ(recovered.panics, 1u);
  EXPECT_EQ(recovered.goroutine, 30u);
  EXPECT_EQ(death.kind, model::IncidentKind::ended);
  EXPECT_EQ(death.exit_code, 2);
  EXPECT_EQ(death.signal, 0);
  EXPECT_TRUE(death.panic);
  EXPECT_EQ(death.goroutine, 21u);
  EXPECT_EQ(death.stack, "main.serve;main.collapse");
  EXPECT_EQ(death.under_way, 1u);
  EXPECT_EQ(death.next_pid, 200u);
  EXPECT_EQ(death.started - death.time, 295ms);
  EXPECT_EQ(death.answered - death.time, 695ms);
  const auto grid = report::incident_grid(study);
  ASSERT_EQ(grid.rows.size(), 2u);
  EXPECT_EQ(grid.rows[1].back(), "panic: exit code 2");
}

TEST(Incidents, KilledForMemory) {
  Service p(kDefault);
  p.serve(p.accepted(), 10ms, 20ms, 20);
  p.s.add(100ms, kMain, formats::OomKill{});
  p.s.exit(101ms, kMain, 9);
  const auto study = p.study();
  ASSERT_EQ(study.incidents.size(), 1u);
  EXPECT_TRUE(study.incidents[0].out_of_memory);
  EXPECT_EQ(study.incidents[0].signal, 9);
  EXPECT_EQ(study.incidents[0].exit_code, -1);
  EXPECT_EQ(study.incidents[0].next_pid, 0u);
  EXPECT_EQ(report::incident_grid(study).rows[0].back(), "killed by SIGKILL, out of memory");
}

// Clients that exit are no incidents.
TEST(Incidents, WhoServesNobodyIsNone) {
  Service p(kDefault);
  synth::Opening o;
  o.thread = Thread{300, 300};
  o.origin = formats::Origin::connected;
  p.s.open(0ms, o).send(1ms, kGet).receive(2ms, 2ms, kOk);
  p.s.exit(50ms, Thread{300, 300}, 7 << 8);
  p.s.exit(60ms, Thread{100, 101});  // a thread
  EXPECT_TRUE(p.study().incidents.empty());
}

}  // namespace
}  // namespace tailcap::go_tables_test
