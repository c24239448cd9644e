// The parent of a call by a goroutine that takes jobs from a channel, and when it stays undecided.
#include <gtest/gtest.h>

#include "tests/unit/causes/go_service.h"

namespace tailcap {
namespace {

using namespace go_service;
using formats::GoChannel;
using formats::GoChannelStep;

constexpr std::uint64_t kJobs = 0xc000100, kOther = 0xc000200, kSlot = 0xc000800;

struct Channels : GoService {
  void step(Duration at, std::uint64_t goroutine, const GoChannel& what) { s.add(at, kA, what, goroutine); }
  void gave(Duration at, std::uint64_t giver, std::uint64_t taker, std::uint64_t channel = kJobs) {
    step(at, giver, {channel, 0, taker, GoChannelStep::gave});
  }
  // Two requests that each give a job to the worker (30), and the worker's calls.
  void two_jobs() {
    serve(1ms, 40ms, 20, "/one");
    serve(1ms, 40ms, 21, "/two");
    gave(2ms, 20, 30);
    call(3ms, 4ms, 30, "/a");
    gave(5ms, 21, 30);
    call(6ms, 7ms, 30, "/b");
  }
};

TEST(CausesChannel, AWorkersCallsAreOfWhoGaveItTheJob) {
  Channels g;
  g.two_jobs();
  g.call(8ms, 9ms, 30, "/c");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain channel /one");
  EXPECT_EQ(told(table, "/b"), "certain channel /two");
  EXPECT_EQ(told(table, "/c"), "certain channel /two");
}

TEST(CausesChannel, AWorkerTakesFromWhoWaits) {
  Channels g;
  g.serve(1ms, 40ms, 20, "/one");
  g.serve(1ms, 40ms, 21, "/two");
  g.step(2ms, 30, {kJobs, 0, 21, GoChannelStep::fetched});
  g.call(3ms, 4ms, 30, "/a");
  g.step(5ms, 30, {kJobs, 0, 20, GoChannelStep::fetched});
  g.call(6ms, 7ms, 30, "/b");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain channel /two");
  EXPECT_EQ(told(table, "/b"), "certain channel /one");
}

// The receiver from a full buffer gets the first value, and wakes the goroutine that waits to send the next one.
TEST(CausesChannel, ABufferHandsOnWhatWasPutFirst) {
  Channels g;
  for (std::uint64_t n = 0; n < 3; ++n) g.serve(1ms, 40ms, 20 + n, "/r" + std::to_string(n));
  g.step(2ms, 20, {kJobs, kSlot, 0, GoChannelStep::put});
  g.step(2500us, 21, {kJobs, kSlot + 8, 0, GoChannelStep::put});
  g.step(3ms, 30, {kJobs, kSlot, 22, GoChannelStep::exchanged});
  g.call(4ms, 5ms, 30, "/a");
  g.step(6ms, 30, {kJobs, kSlot + 8, 0, GoChannelStep::took});
  g.call(7ms, 8ms, 30, "/b");
  g.step(9ms, 30, {kJobs, kSlot, 0, GoChannelStep::took});
  g.call(10ms, 11ms, 30, "/c");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain channel /r0");
  EXPECT_EQ(told(table, "/b"), "certain channel /r1");
  EXPECT_EQ(told(table, "/c"), "certain channel /r2");
}

// A job put before the recording began or by an unknown goroutine has no known parent, and ends the previous job.
TEST(CausesChannel, AJobOfUnknownOriginEndsTheOneBefore) {
  Channels g;
  g.two_jobs();
  g.step(8ms, 30, {kJobs, kSlot, 0, GoChannelStep::took});
  g.call(9ms, 10ms, 30, "/c");
  g.gave(11ms, 50, 30);
  g.call(12ms, 13ms, 30, "/d");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/b"), "certain channel /two");
  EXPECT_EQ(told(table, "/c"), "undecided of 2");
  EXPECT_EQ(told(table, "/d"), "undecided of 2");
}

// A request starts the pool, but the workers do not work only for that request.
TEST(CausesChannel, AWorkerThatARequestStartedWorksForWhoeverGives) {
  Channels g;
  g.made(1500us, 20, 30);
  g.two_jobs();
  g.serve(50ms, 60ms, 21, "/three");
  g.gave(51ms, 21, 30);
  g.call(52ms, 53ms, 30, "/c");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain channel /one");
  EXPECT_EQ(told(table, "/b"), "certain channel /two");
  EXPECT_EQ(told(table, "/c"), "certain channel /three");
}

// The worker was started by one request and got a job from the other: contradictory.
TEST(CausesChannel, AgainstItsMakerNothingIsSaid) {
  Channels g;
  g.made(1500us, 20, 30);
  g.two_jobs();
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain goroutine /one");
  EXPECT_EQ(told(table, "/b"), "undecided of 2");
}

// Tokens and pooled objects pass both ways: a goroutine that takes one does not work for the one that returned it.
TEST(CausesChannel, AChannelThatIsUsedBothWaysCarriesNoJobs) {
  Channels g;
  g.two_jobs();
  g.gave(8ms, 30, 20);
  EXPECT_EQ(told(g.table(), "/b"), "undecided of 2");
}

TEST(CausesChannel, WhatWasTakenOnceIsNoLoop) {
  Channels g;
  g.serve(1ms, 40ms, 20, "/one");
  g.serve(1ms, 40ms, 21, "/two");
  g.gave(2ms, 20, 30);
  g.call(3ms, 4ms, 30, "/a");
  EXPECT_EQ(told(g.table(), "/a"), "undecided of 2");
}

TEST(CausesChannel, SomethingOfAnotherRequestInBetweenLeavesItOpen) {
  Channels g;
  g.two_jobs();
  g.gave(8ms, 21, 30, kOther);
  g.call(9ms, 10ms, 30, "/same");
  g.gave(11ms, 20, 30, kOther + 64);
  g.call(12ms, 13ms, 30, "/c");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/same"), "certain channel /two");
  EXPECT_EQ(told(table, "/c"), "undecided of 2");
}

// The answer comes from a goroutine that serves all requests and was asked for another one in the meantime.
TEST(CausesChannel, AnAnswerIsNoJob) {
  Channels g;
  g.two_jobs();
  g.gave(8ms, 20, 60, kOther);
  g.gave(8100us, 60, 30, kOther + 64);
  g.call(9ms, 10ms, 30, "/c");
  EXPECT_EQ(told(g.table(), "/c"), "certain channel /two");
}

TEST(CausesChannel, SeveralTakenAtOnceAreNotCertain) {
  Channels g;
  g.serve(1ms, 40ms, 20, "/one");
  g.serve(1ms, 40ms, 21, "/two");
  g.gave(2ms, 20, 30);
  g.gave(3ms, 21, 30);
  g.call(4ms, 5ms, 30, "/a");
  EXPECT_EQ(told(g.table(), "/a"), "likely channel /two");
}

TEST(CausesChannel, AfterTheAnswerItIsNotCertain) {
  Channels g;
  g.two_jobs();
  g.call(50ms, 51ms, 30, "/late");
  EXPECT_EQ(told(g.table(), "/late"), "likely channel /two");
}

// The lost events may include another job.
TEST(CausesChannel, WhereEventsWereLostNothingIsSaid) {
  Channels g;
  g.two_jobs();
  g.s.add(9ms, kA, formats::Loss{synth::kStart + 8ms, formats::LossCause::ring_full, 255, 3});
  g.call(10ms, 11ms, 30, "/c");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "likely channel /one");
  EXPECT_EQ(told(table, "/c"), "undecided of 2");
}

}  // namespace
}  // namespace tailcap
