// The parent of a call by content that both share; undecided if several requests share it or events were lost.
#include <gtest/gtest.h>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"
#include "tests/unit/causes/cause_of.h"

namespace tailcap::causes_content_test {
namespace {

using namespace std::chrono_literals;
using formats::Kind;
using model::Cause;
using model::CauseMethod;
using synth::Duration;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::Thread;

constexpr Thread kLoop{100, 100};
constexpr std::int16_t kEpollWait = 232;
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

// An event loop with inbound and outbound connections.
struct Loop {
  Scenario s;
  std::uint16_t ports = 0;
  Endpoint &in1 = accepted(), &in2 = accepted(), &in3 = accepted(), &out1 = connected(), &out2 = connected(),
           &out3 = connected();

  Endpoint& accepted() {
    Opening o;
    o.thread = kLoop;
    o.remote = "10.0.0.2:" + std::to_string(40000 + ports++);
    return s.open(0ms, o);
  }
  Endpoint& connected() {
    Opening o;
    o.thread = kLoop;
    o.origin = formats::Origin::connected;
    o.local = "10.0.0.1:" + std::to_string(50000 + ports++);
    o.remote = "10.0.0.3:80";
    return s.open(0ms, o);
  }
  void wait(Duration from, Duration to) {
    s.off_cpu(kLoop, {.left = from, .runnable = to, .on = to, .syscall = kEpollWait});
  }
  model::RequestTable table() { return pipeline::analyze(synth::plain_preamble(), s.with_end()).table; }
};

// The loop reads A, relays the answer to B, and only then sends A's call.
TEST(CausesContent, WhatAProxyReadLastIsNotTheCause) {
  Loop p;
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/b"));
  p.out1.send(1ms + 50us, get("/b"));
  p.wait(1ms + 100us, 2ms);
  p.in2.receive(2ms, 2ms + 10us, get("/a"));
  p.wait(2ms + 100us, 3ms);
  p.out1.receive(3ms, 3ms + 10us, kOk);
  p.out2.send(3ms + 50us, get("/a"));
  p.in1.send(3ms + 60us, kOk);
  p.wait(3ms + 100us, 5ms);
  p.out2.receive(5ms, 5ms + 10us, kOk);
  p.in2.send(5ms + 50us, kOk);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/b"), "/b");
  EXPECT_EQ(parent_of(table, "/a"), "/a");
  EXPECT_EQ(cause_of(table, "/a"), (Cause{cause_of(table, "/a").parent, CauseMethod::content, false, 1, false}));
}

TEST(CausesContent, ACallSaysMoreThanItsRequest) {
  Loop p;
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/work/r3-5"));
  p.in2.receive(1ms, 1ms + 20us, get("/work/r3-51"));
  p.out1.send(1ms + 30us, get("/stock/r3-51.0"));
  p.out2.send(1ms + 40us, get("/stock?of=r3-5"));
  p.out3.send(1ms + 50us, get("/stock/other-7"));  // belongs to neither
  p.in1.send(8ms, kOk);
  p.in2.send(8ms, kOk);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/stock/r3-51.0"), "/work/r3-51");
  EXPECT_EQ(parent_of(table, "/stock?of=r3-5"), "/work/r3-5");
  EXPECT_EQ(parent_of(table, "/stock/other-7"), "");
}

TEST(CausesContent, ARequestIdIsPassedOn) {
  Loop p;
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/same", "X-Request-Id: 7f3a-1\r\n"));
  p.in2.receive(1ms, 1ms + 20us, get("/same", "X-Request-Id: 7f3a-2\r\n"));
  p.out1.send(1ms + 30us, get("/two", "X-Request-Id: 7f3a-2\r\n"));
  p.out2.send(1ms + 40us, get("/one", "X-Request-Id: 7f3a-1\r\n"));
  p.in1.send(8ms, kOk);
  p.in2.send(9ms, kOk);
  const auto table = p.table();
  const auto served = [&](std::string_view target) {
    const Cause cause = cause_of(table, target);
    for (const auto row : table.rows)
      if (row.id == cause.parent) return std::string(table.texts[row.request_id]);
    return std::string();
  };
  EXPECT_EQ(served("/two"), "7f3a-2");
  EXPECT_EQ(served("/one"), "7f3a-1");
}

TEST(CausesContent, SeveralThatSayTheSameStayUndecided) {
  Loop p;
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/same"));
  p.in2.receive(1ms, 1ms + 20us, get("/same"));
  p.in3.receive(1ms, 1ms + 30us, get("/else"));
  p.out1.send(1ms + 40us, get("/same"));
  p.in1.send(8ms, kOk);
  p.in2.send(8ms, kOk);
  p.in3.send(8ms, kOk);
  EXPECT_EQ(cause_of(p.table(), "/same"), (Cause{{}, CauseMethod::none, false, 2, false}));
}

// Masked values agree in length only.
TEST(CausesContent, MaskedValuesSayNothing) {
  Loop p;
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/find?q=*******"));
  p.wait(1ms + 20us, 2ms);
  p.out1.send(2ms + 40us, get("/other?q=*******"));
  p.in1.send(8ms, kOk);
  EXPECT_EQ(parent_of(p.table(), "/other?q=*******"), "");
}

// A timer makes such calls, too: within an event-loop iteration they look like the request's own.
TEST(CausesContent, WhatATimerMakesIsNotOfTheTurn) {
  Loop p;
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/in"));
  p.out1.send(1ms + 40us, get("/tick1"));
  p.wait(1ms + 100us, 3ms);
  p.out2.send(3ms + 10us, get("/tick2"));
  p.wait(3ms + 100us, 5ms);
  p.in1.send(8ms, kOk);
  EXPECT_EQ(parent_of(p.table(), "/tick1"), "");
}

// Read A, wait, read B (lost), call: A's event-loop iteration is over.
TEST(CausesLoss, ALostReadLeavesTheTurnOpen) {
  for (const bool lost : {false, true}) {
    Loop p;
    p.wait(0ms, 1ms);
    p.in1.receive(1ms, 1ms + 10us, get("/in1"));
    p.wait(1ms + 100us, 2ms);
    p.in2.receive(2ms, 2ms + 10us, get("/in2"));
    if (lost) p.s.loss(2ms, 3ms, Kind::receive, 1);
    p.out2.send(2ms + 50us, get("/out2"));
    p.wait(4ms, 7ms);
    p.in1.send(8ms, kOk);
    p.in2.send(8ms, kOk);
    const Cause cause = cause_of(p.table(), "/out2");
    EXPECT_EQ(cause.parent == model::ExchangeId{}, lost);
    EXPECT_EQ(cause.lost, lost);
  }
}

TEST(CausesLoss, AWaitThatIsMissingLeavesTheTurnOpen) {
  Loop p;
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/in1"));
  p.out2.send(3ms, get("/out2"));
  formats::OffCpu off;
  off.left = off.runnable = synth::kStart + 5ms;
  off.missed = 1;
  off.syscall = kEpollWait;
  p.s.add(6ms, kLoop, off);
  p.in1.send(8ms, kOk);
  EXPECT_EQ(cause_of(p.table(), "/out2"), (Cause{{}, CauseMethod::none, false, 1, true}));
}

// If other requests have the same content, the real parent may be the one that was lost.
TEST(CausesLoss, WhatSeveralSayIsNotBelievedWhereReadsWereLost) {
  for (const bool lost : {false, true}) {
    Loop p;
    p.wait(0ms, 1ms);
    p.in1.receive(1ms, 1ms + 10us, get("/hot")).send(1ms + 50us, kOk);
    p.in2.receive(2ms, 2ms + 10us, get("/hot"));
    if (lost) p.s.loss(2ms, 3ms, Kind::receive, 1);
    p.wait(2ms + 20us, 4ms);
    p.out1.send(4ms + 50us, get("/hot"));
    p.in2.send(8ms, kOk);
    EXPECT_EQ(parent_of(p.table(), "/hot"), lost ? "" : "/hot");
  }
}

}  // namespace
}  // namespace tailcap::causes_content_test
