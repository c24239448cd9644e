// Lanes: what threads, goroutines, connections and Go's collector did in a window of time.
#include <gtest/gtest.h>

#include <algorithm>

#include "analyze/report/timeline/lanes_svg.h"
#include "analyze/timeline/lane_collector.h"
#include "tests/synth/endpoint.h"
#include "tests/synth/scenario.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using formats::Duration;
using formats::GoRunState;
using formats::Thread;
using model::Lane;
using model::LaneKind;

constexpr Thread kMain{7, 7}, kOther{7, 8}, kStranger{9, 9};

struct Recording {
  synth::Scenario s;

  void off(Thread thread, Duration left, Duration runnable, Duration back, int syscall, std::uint16_t missed = 0,
           std::uint64_t goroutine = 0) {
    formats::OffCpu o;
    o.left = synth::kStart + left;
    o.runnable = synth::kStart + runnable;
    o.state = 1;
    o.syscall = static_cast<std::int16_t>(syscall);
    o.missed = missed;
    s.add(back, thread, o, goroutine);
  }
  void go(Duration at, Thread thread, std::uint64_t goroutine, GoRunState state, std::string_view reason = {}) {
    s.add(at, thread, formats::GoState{goroutine, state, reason}, goroutine);
  }
  void phase(Duration at, formats::GoPhase phase) { s.add(at, kMain, formats::GoRuntime{phase, {}}); }

  model::Lanes lanes(Duration from, Duration to, std::vector<std::uint32_t> pids = {}) const {
    timeline::LaneCollector collector(synth::kStart + from, synth::kStart + to, std::move(pids));
    for (const auto& event : s.events()) collector.push(event);
    return collector.done();
  }
};

const Lane* lane(const model::Lanes& lanes, LaneKind kind, std::uint64_t number) {
  const auto at = std::find_if(lanes.lanes.begin(), lanes.lanes.end(),
                               [&](const Lane& l) { return l.kind == kind && l.number == number; });
  return at == lanes.lanes.end() ? nullptr : &*at;
}

// "cpu 2-5 lock 5-7": ms of the recording.
std::string text(const Lane* lane) {
  if (!lane) return "no lane";
  std::string out;
  const auto ms = [](formats::Time t) { return std::to_string((t - synth::kStart) / 1ms); };
  for (const auto& s : lane->stretches)
    out += (out.empty() ? "" : " ") + std::string(s.note.empty() ? model::name_of(s.what) : s.note) + " " + ms(s.from) +
           "-" + ms(s.to);
  return out;
}

TEST(Lanes, AThreadsWaitsAndWhatLiesBetween) {
  Recording r;
  r.off(kMain, 1ms, 3ms, 4ms, 202);
  r.off(kMain, 6ms, 9ms, 9ms, 230);
  r.off(kMain, 12ms, 20ms, 21ms, 202);
  EXPECT_EQ(text(lane(r.lanes(2ms, 15ms), LaneKind::thread, 7)),
            "lock 2-3 scheduler 3-4 cpu 4-6 sleep 6-9 cpu 9-12 lock 12-15");
  EXPECT_EQ(text(lane(r.lanes(0ms, 30ms), LaneKind::thread, 7)),
            "lock 1-3 scheduler 3-4 cpu 4-6 sleep 6-9 cpu 9-12 lock 12-20 scheduler 20-21")
      << "what was before and after is not known";
}

TEST(Lanes, WhatLiesBeforeALostWaitIsNotKnown) {
  Recording r;
  r.off(kMain, 1ms, 2ms, 2ms, 202);
  r.off(kMain, 6ms, 7ms, 7ms, 202, 1);
  EXPECT_EQ(text(lane(r.lanes(0ms, 10ms), LaneKind::thread, 7)), "lock 1-2 lock 6-7")
      << "no thread was on a CPU, so far as is known";
}

TEST(Lanes, AThreadThatWaitedAllTheTimeHasNone) {
  Recording r;
  r.off(kMain, 1ms, 3ms, 4ms, 202);
  r.off(kMain, 5ms, 6ms, 7ms, 202);
  r.off(kOther, 0ms, 20ms, 20ms, 202);
  const model::Lanes lanes = r.lanes(0ms, 10ms);
  EXPECT_FALSE(lane(lanes, LaneKind::thread, 8));
  EXPECT_EQ(lanes.idle[static_cast<std::size_t>(LaneKind::thread)], 1u);
}

TEST(Lanes, OnlyTheProcessesMeant) {
  Recording r;
  for (const Thread t : {kMain, kStranger}) {
    r.off(t, 1ms, 2ms, 2ms, 202);
    r.off(t, 4ms, 5ms, 5ms, 202);
  }
  EXPECT_EQ(r.lanes(0ms, 10ms).lanes.size(), 2u);
  EXPECT_EQ(r.lanes(0ms, 10ms, {9}).lanes.size(), 1u);
  EXPECT_EQ(r.lanes(0ms, 10ms, {9}).lanes[0].number, 9u);
}

TEST(Lanes, GoroutinesTakeTurnsOnAThread) {
  Recording r;
  r.go(1ms, kMain, 21, GoRunState::running);
  r.go(3ms, kMain, 21, GoRunState::parked, "chan receive");
  r.go(4ms, kMain, 22, GoRunState::running);
  r.go(6ms, kMain, 21, GoRunState::ready);
  r.go(7ms, kMain, 21, GoRunState::running);  // 22 has ended, visible only because its thread runs another goroutine
  r.go(9ms, kMain, 21, GoRunState::parked, "sleep");
  const model::Lanes lanes = r.lanes(0ms, 10ms);
  EXPECT_TRUE(lanes.goroutine_states);
  EXPECT_EQ(text(lane(lanes, LaneKind::goroutine, 21)),
            "running 1-3 chan receive 3-6 ready to run 6-7 running 7-9 sleep 9-10");
  EXPECT_EQ(text(lane(lanes, LaneKind::goroutine, 22)), "running 4-7");
}

TEST(Lanes, AGoroutineRunsNoLongerThanItsThreadWasSeen) {
  Recording r;
  r.go(1ms, kMain, 21, GoRunState::running);
  r.off(kMain, 3ms, 4ms, 4ms, 0, 0, 21);
  r.go(8ms, {7, 9}, 23, GoRunState::running);
  EXPECT_EQ(text(lane(r.lanes(0ms, 10ms), LaneKind::goroutine, 21)), "running 1-4")
      << "whether its thread left the CPU afterwards is not recorded";
}

TEST(Lanes, AGoroutineThatEndedDoesNotRunWhileItsThreadIdles) {
  Recording r;
  r.go(1ms, kMain, 21, GoRunState::running);
  r.off(kMain, 3ms, 8ms, 8ms, 202);
  EXPECT_EQ(text(lane(r.lanes(0ms, 10ms), LaneKind::goroutine, 21)), "running 1-3");
  Recording call;
  call.go(1ms, kMain, 21, GoRunState::running);
  call.off(kMain, 3ms, 8ms, 8ms, 0, 0, 21);
  call.go(9ms, kMain, 21, GoRunState::parked, "sleep");
  EXPECT_EQ(text(lane(call.lanes(0ms, 10ms), LaneKind::goroutine, 21)), "running 1-9 sleep 9-10")
      << "in a call it has not ended";
}

TEST(Lanes, CollectionsAndStopsOfTheWorld) {
  Recording r;
  using formats::GoPhase;
  r.phase(1ms, GoPhase::gc_begin);
  r.phase(2ms, GoPhase::stop_begin);
  r.phase(3ms, GoPhase::stopped);
  r.phase(4ms, GoPhase::started);
  r.phase(8ms, GoPhase::gc_end);
  const model::Lanes lanes = r.lanes(0ms, 10ms);
  EXPECT_EQ(text(lane(lanes, LaneKind::collector, 0)), "collection 1-8");
  EXPECT_EQ(text(lane(lanes, LaneKind::collector, 1)), "the world is to stop 2-3 the world is stopped 3-4");
}

TEST(Lanes, ConnectionsByTheirBytes) {
  Recording r;
  auto [client, server] = r.s.loopback(0ms, {}, kStranger);
  client.send(1ms, "GET / HTTP/1.1\r\n\r\n");
  server.receive(2ms, 3ms, "GET / HTTP/1.1\r\n\r\n");
  server.send(5ms, "HTTP/1.1 204 No Content\r\n\r\n");
  const model::Lanes lanes = r.lanes(0ms, 10ms, {9});
  ASSERT_EQ(lanes.lanes.size(), 1u);
  const Lane& l = lanes.lanes[0];
  EXPECT_EQ(l.kind, LaneKind::connection);
  EXPECT_NE(l.name.find(" ← "), std::string::npos) << l.name;
  ASSERT_EQ(l.marks.size(), 2u);  // the owner is known only at the read, after the arrival
  EXPECT_EQ(l.marks[0].kind, model::LaneMark::Kind::read);
  EXPECT_EQ(l.marks[1].kind, model::LaneMark::Kind::sent);
  EXPECT_EQ(l.marks[1].bytes, 27u);
}

TEST(Lanes, LossesLeaveStatesUnknown) {
  Recording r;
  r.go(1ms, kMain, 21, GoRunState::running);
  r.s.loss(2ms, 3ms, formats::Kind::go_state, 5);
  r.go(6ms, kMain, 21, GoRunState::parked, "sleep");
  const model::Lanes lanes = r.lanes(0ms, 10ms);
  EXPECT_TRUE(lanes.lost);
  EXPECT_NE(report::lanes_notes(lanes).find("lost"), std::string::npos);
  EXPECT_EQ(text(lane(lanes, LaneKind::goroutine, 21)), "no lane") << "nothing is known but that it slept";
}

TEST(Lanes, MoreThanCanBeShownIsSaid) {
  Recording r;
  for (std::uint32_t tid = 100; tid < 150; ++tid) {
    r.off({7, tid}, 1ms, 2ms, 2ms, 202);
    r.off({7, tid}, 3ms, 4ms, 5ms, 202);
  }
  const model::Lanes lanes = r.lanes(0ms, 10ms);
  EXPECT_EQ(lanes.lanes.size(), timeline::LaneLimits{}.lanes);
  EXPECT_NE(report::lanes_notes(lanes).find("20 threads that did less are left out"), std::string::npos);
}

TEST(Lanes, AsJson) {
  Recording r;
  r.go(1ms, kMain, 21, GoRunState::parked, "chan receive");
  r.go(3ms, kMain, 21, GoRunState::running);
  r.go(5ms, kMain, 21, GoRunState::parked, "sleep");
  EXPECT_EQ(report::lanes_json(r.lanes(0ms, 4ms), synth::kStart),
            "{\"schema\":3,\"from_ns\":0,\"to_ns\":4000000,\"events_lost\":false,\"goroutine_states\":true,"
            "\"left_out\":{\"collector\":0,\"connection\":0,\"goroutine\":0,\"thread\":0},\"idle\":{\"collector\":0,"
            "\"connection\":0,\"goroutine\":0,\"thread\":0},"
            "\"lanes\":[{\"kind\":\"goroutine\",\"pid\":7,\"number\":21,\"name\":null,\"stretches\":["
            "{\"from_ns\":1000000,\"to_ns\":3000000,\"what\":\"causeless\",\"note\":\"chan receive\"},"
            "{\"from_ns\":3000000,\"to_ns\":4000000,\"what\":\"cpu\",\"note\":\"running\"}],\"marks\":[]}]}\n");
}

TEST(Lanes, ThePictureIsWellFormedWhateverNamesAre) {
  Recording r;
  r.s.task(0ms, kMain, "<b>\"&'\x01");
  r.off(kMain, 1ms, 2ms, 2ms, 202);
  r.off(kMain, 3ms, 4ms, 5ms, 202);
  const std::string svg = report::lanes_svg(r.lanes(0ms, 10ms), {});
  EXPECT_EQ(svg.find("<b>"), std::string::npos);
  EXPECT_EQ(svg.find('\x01'), std::string::npos);
  EXPECT_NE(svg.find("thread 7 (&lt;b&gt;&quot;&amp;"), std::string::npos);
  EXPECT_NE(svg.find("waiting for a lock: 1,000,000 ns"), std::string::npos);
}

}  // namespace
}  // namespace tailcap
