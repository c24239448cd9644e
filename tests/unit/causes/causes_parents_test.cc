// The parent of a call by trace id, by thread and by event-loop iteration, and when it stays undecided.
#include <gtest/gtest.h>

#include "analyze/causes/parents/parents.h"
#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"
#include "tests/unit/causes/cause_of.h"
#include "tests/unit/causes/service.h"

namespace tailcap::causes_parents_test {
namespace {

using namespace std::chrono_literals;
using model::Cause;
using model::CauseMethod;
using service::get;
using service::kAnswer;
using service::kEpollWait;
using service::kOtherWorker;
using service::kRecvfrom;
using service::kWorker;
using service::Service;
using synth::Duration;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::Thread;

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
std::string traced(const std::string& span, const std::string& trace = kTrace) {
  return "traceparent: 00-" + trace + "-" + span + "-01\r\n";
}
// A thread that reads a request, makes a call, waits for it and answers.
struct ThreadPerRequest : Service {
  Endpoint& in = accepted(kWorker);
  Endpoint& out = connected(kWorker);
  void usual() {
    in.receive(1ms, 1ms, get("/in"));
    out.send(2ms, get("/out"));
    blocked(kWorker, 2ms + 100us, 5ms);
    out.receive(5ms, 5ms + 10us, kAnswer);
    in.send(6ms, kAnswer);
  }
};

// A driver may wait with epoll: a thread that blocks in reads of the connection that it serves is no event loop for
// that.
TEST(Parents, AThreadThatBlocksInReadsOfWhatItServesIsNoLoop) {
  for (const bool blocks : {true, false}) {
    ThreadPerRequest p;
    if (blocks)
      p.s.add(1ms, kWorker,
              formats::OffCpu{.left = synth::kStart,
                              .runnable = synth::kStart + 1ms,
                              .state = 1,
                              .syscall = kRecvfrom,
                              .socket = p.in.socket()});
    p.in.receive(1ms, 1ms, get("/in"));
    p.out.send(2ms, get("/out"));
    p.blocked(kWorker, 2ms + 100us, 5ms, kEpollWait);
    p.out.receive(5ms, 5ms + 10us, kAnswer);
    p.blocked(kWorker, 6ms, 7ms, kEpollWait);
    p.out.send(8ms, get("/again"));
    p.blocked(kWorker, 8ms + 100us, 9ms, kEpollWait);
    p.out.receive(9ms, 9ms + 10us, kAnswer);
    p.in.send(10ms, kAnswer);
    const auto table = p.table();
    EXPECT_EQ(parent_of(table, "/again"), blocks ? "/in" : "") << blocks;
    if (blocks) {
      EXPECT_EQ(cause_of(table, "/again").method, CauseMethod::thread);
      EXPECT_FALSE(cause_of(table, "/again").certain);
    }
  }
}

TEST(Parents, AThreadThatDoesNothingElseIsCertain) {
  ThreadPerRequest p;
  p.usual();
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/out"), "/in");
  const Cause cause = cause_of(table, "/out");
  EXPECT_EQ(cause.method, CauseMethod::thread);
  EXPECT_TRUE(cause.certain);
  EXPECT_EQ(cause.alternatives, 0u);
}

TEST(Parents, SeveralCallsOneAfterTheOtherAreCertain) {
  ThreadPerRequest p;
  p.usual();
  Endpoint& in = p.accepted(kWorker);
  in.receive(11ms, 11ms, get("/in2"));
  for (int i = 0; i < 3; ++i) {
    const Duration at = 12ms + i * 3ms;
    p.out.send(at, get("/call" + std::to_string(i)));
    p.blocked(kWorker, at + 10us, at + 1ms);
    p.out.receive(at + 1ms, at + 1ms + 10us, kAnswer);
  }
  in.send(30ms, kAnswer);
  const auto table = p.table();
  for (const char* target : {"/call0", "/call1", "/call2"}) {
    EXPECT_EQ(parent_of(table, target), "/in2");
    EXPECT_TRUE(cause_of(table, target).certain);
  }
  EXPECT_EQ(parent_of(table, "/out"), "/in");
}

// Each case removes one of the conditions; the parent may remain, but not as certain.
TEST(Parents, WhatIsNotSeenIsNotCertain) {
  const std::vector<std::pair<const char*, void (*)(ThreadPerRequest&)>> cases = {
      {"no wait was seen",
       [](ThreadPerRequest& p) {
         p.in.receive(1ms, 1ms, get("/in"));
         p.out.send(2ms, get("/out")).receive(5ms, 5ms + 10us, kAnswer);
         p.in.send(6ms, kAnswer);
       }},
      {"events were lost meanwhile",
       [](ThreadPerRequest& p) {
         p.usual();
         p.s.loss(3ms, 4ms, formats::Kind::receive, 3);
       }},
      {"another answers",
       [](ThreadPerRequest& p) {
         p.in.receive(1ms, 1ms, get("/in"));
         p.out.send(2ms, get("/out"));
         p.blocked(kWorker, 2ms + 100us, 5ms);
         p.out.receive(5ms, 5ms + 10us, kAnswer);
         p.in.by(kOtherWorker).send(6ms, kAnswer);
       }},
      {"it is answered before the call is",
       [](ThreadPerRequest& p) {
         p.in.receive(1ms, 1ms, get("/in"));
         p.out.send(2ms, get("/out"));
         p.in.send(3ms, kAnswer);
         p.blocked(kWorker, 3ms + 100us, 5ms);
         p.out.receive(5ms, 5ms + 10us, kAnswer);
       }},
      {"two calls overlap",
       [](ThreadPerRequest& p) {
         Endpoint& other = p.connected(kWorker);
         p.in.receive(1ms, 1ms, get("/in"));
         p.out.send(2ms, get("/out"));
         other.send(3ms, get("/other"));
         p.blocked(kWorker, 3ms + 100us, 5ms);
         p.out.receive(5ms, 5ms + 10us, kAnswer);
         other.receive(5ms, 5ms + 20us, kAnswer);
         p.in.send(6ms, kAnswer);
       }},
      {"waits of the thread were lost",
       [](ThreadPerRequest& p) {
         p.usual();
         formats::OffCpu off;
         off.left = off.runnable = synth::kStart + 7ms;
         off.missed = 2;
         p.s.add(8ms, kWorker, off);
       }},
  };
  for (const auto& [what, make] : cases) {
    ThreadPerRequest p;
    make(p);
    EXPECT_FALSE(cause_of(p.table(), "/out").certain) << what;
  }
}

TEST(Parents, WaitsThatWereLostLaterChangeNothing) {
  ThreadPerRequest p;
  p.usual();
  p.blocked(kWorker, 8ms, 9ms);
  formats::OffCpu off;
  off.left = off.runnable = synth::kStart + 20ms;
  off.missed = 1;
  p.s.add(21ms, kWorker, off);
  EXPECT_TRUE(cause_of(p.table(), "/out").certain);
}

TEST(Parents, ACallOfAnotherThreadIsUnknown) {
  ThreadPerRequest p;
  Endpoint& other = p.connected(kOtherWorker);
  p.usual();
  other.send(3ms, get("/background")).receive(4ms, 4ms, kAnswer);
  const auto table = p.table();
  const Cause cause = cause_of(table, "/background");
  EXPECT_EQ(cause.parent, model::ExchangeId{});
  EXPECT_EQ(cause.alternatives, 1u);
  EXPECT_TRUE(cause_of(table, "/out").certain) << "what another thread does changes nothing";
}

TEST(Parents, ACallWithoutAnyRequestHasNoCause) {
  ThreadPerRequest p;
  p.usual();
  p.out.send(20ms, get("/later")).receive(21ms, 21ms, kAnswer);
  EXPECT_EQ(cause_of(p.table(), "/later"), Cause{});
}

// One thread, many requests: epoll_wait, read, call; epoll_wait, read an answer, answer.
struct Loop : Service {
  Endpoint &in1 = accepted(kWorker), &in2 = accepted(kWorker), &out1 = connected(kWorker), &out2 = connected(kWorker);
  void wait(Duration from, Duration to) { blocked(kWorker, from, to, kEpollWait); }
};

TEST(Parents, ATurnOfAnEventLoopIsLikely) {
  Loop p;
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/in1"));
  p.out1.send(1ms + 50us, get("/out1"));
  p.wait(1ms + 100us, 2ms);
  p.in2.receive(2ms, 2ms + 10us, get("/in2"));
  p.out2.send(2ms + 50us, get("/out2"));
  p.wait(2ms + 100us, 5ms);
  // The answer to the first call triggers a second one of the same request.
  p.out1.receive(5ms, 5ms + 10us, kAnswer).send(5ms + 50us, get("/out1b"));
  p.wait(5ms + 100us, 6ms);
  p.out1.receive(6ms, 6ms + 10us, kAnswer);
  p.in1.send(6ms + 50us, kAnswer);
  p.wait(7ms, 8ms);
  p.out2.receive(8ms, 8ms + 10us, kAnswer);
  p.in2.send(8ms + 50us, kAnswer);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/out1"), "/in1");
  EXPECT_EQ(parent_of(table, "/out2"), "/in2");
  EXPECT_EQ(parent_of(table, "/out1b"), "/in1");
  for (const char* target : {"/out1", "/out2", "/out1b"}) {
    EXPECT_EQ(cause_of(table, target).method, CauseMethod::turn);
    EXPECT_FALSE(cause_of(table, target).certain);
  }
  EXPECT_EQ(cause_of(table, "/out1").alternatives, 0u);
  EXPECT_EQ(cause_of(table, "/out2").alternatives, 1u);
}

// As in nginx: connect in the request's event-loop iteration, send once connected, in the same iteration as the next
// request.
TEST(Parents, ACallIsOfTheTurnInWhichItsConnectionWasBegun) {
  Loop p;
  Opening o;
  o.thread = kWorker;
  o.origin = formats::Origin::connected;
  o.local = "10.0.0.1:51000";
  o.remote = "10.0.0.3:80";
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/in1"));
  formats::StateChange syn;
  syn.socket = p.s.next_socket() + 1;  // of the next connection to be opened
  syn.from = formats::TcpState::close;
  syn.to = formats::TcpState::syn_sent;
  syn.by_thread = true;
  Endpoint& fresh = p.s.open(1ms + 20us, o);
  ASSERT_EQ(fresh.socket(), syn.socket);
  p.s.add(1ms + 30us, kWorker, syn);
  fresh.state(1ms + 40us, formats::TcpState::syn_sent, formats::TcpState::established);
  p.in2.receive(1ms + 50us, 1ms + 60us, get("/in2"));
  fresh.send(1ms + 70us, get("/out1"));
  p.out2.send(1ms + 80us, get("/out2"));
  p.wait(2ms, 3ms);
  p.in1.send(8ms, kAnswer);
  p.in2.send(8ms, kAnswer);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/out1"), "/in1");
  EXPECT_EQ(parent_of(table, "/out2"), "/in2");
}

TEST(Parents, WhatWasReadOfSeveralIsUndecided) {
  Loop p;
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/in1"));
  p.in2.receive(1ms, 1ms + 20us, get("/in2"));
  p.out1.send(1ms + 50us, get("/out1"));
  p.out2.send(1ms + 60us, get("/out2"));
  p.wait(1ms + 100us, 5ms);
  p.in1.send(8ms, kAnswer);
  p.in2.send(8ms, kAnswer);
  const auto table = p.table();
  for (const char* target : {"/out1", "/out2"}) {
    EXPECT_EQ(cause_of(table, target).parent, model::ExchangeId{}) << target;
    EXPECT_EQ(cause_of(table, target).alternatives, 2u);
  }
}

TEST(Parents, ACallAfterAWaitWithoutBytesIsUndecided) {
  Loop p;
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/in1"));
  p.wait(1ms + 100us, 3ms);
  p.out1.send(3ms + 50us, get("/timer")).receive(4ms, 4ms, kAnswer);
  p.wait(4ms + 100us, 5ms);
  p.in1.send(5ms, kAnswer);
  const Cause cause = cause_of(p.table(), "/timer");
  EXPECT_EQ(cause.parent, model::ExchangeId{});
  EXPECT_EQ(cause.alternatives, 1u);
}

TEST(Parents, ATraceIdDecidesWhatThreadsDoNot) {
  Loop p;
  const std::string other = "1" + kTrace.substr(1);
  p.wait(0ms, 1ms);
  p.in1.receive(1ms, 1ms + 10us, get("/in1", traced("00000000000000a1")));
  p.in2.receive(1ms, 1ms + 20us, get("/in2", traced("00000000000000a2", other)));
  p.wait(1ms + 30us, 2ms);
  p.out2.by(kOtherWorker).send(2ms, get("/out2", traced("00000000000000b2", other)));
  p.out1.by(kOtherWorker).send(3ms, get("/out1", traced("00000000000000b1")));
  p.in1.send(8ms, kAnswer);
  p.in2.send(8ms, kAnswer);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/out1"), "/in1");
  EXPECT_EQ(parent_of(table, "/out2"), "/in2");
  EXPECT_EQ(cause_of(table, "/out1"), (Cause{cause_of(table, "/out1").parent, CauseMethod::trace_id, true, 0}));
}

TEST(Parents, OneTraceInTwoRequestsNeedsTheSpan) {
  const auto b3 = [](const std::string& span, const std::string& parent) {
    return "X-B3-TraceId: " + kTrace + "\r\nX-B3-SpanId: " + span + "\r\nX-B3-ParentSpanId: " + parent + "\r\n";
  };
  for (const bool tells : {true, false}) {
    Loop p;
    p.wait(0ms, 1ms);
    p.in1.receive(1ms, 1ms + 10us, get("/in1", b3("00000000000000a1", "00000000000000ff")));
    p.in2.receive(1ms, 1ms + 20us, get("/in2", b3("00000000000000a2", "00000000000000ff")));
    p.out1.by(kOtherWorker)
        .send(2ms, get("/out1", b3("00000000000000b1", tells ? "00000000000000a2" : "00000000000000cc")));
    p.in1.send(8ms, kAnswer);
    p.in2.send(8ms, kAnswer);
    const auto table = p.table();
    EXPECT_EQ(parent_of(table, "/out1"), tells ? "/in2" : "");
    EXPECT_EQ(cause_of(table, "/out1").certain, tells);
    EXPECT_EQ(cause_of(table, "/out1").alternatives, tells ? 0u : 2u);
  }
}

TEST(Parents, AThreadsRequestOfAnotherTraceIsNotCertain) {
  ThreadPerRequest p;
  p.in.receive(1ms, 1ms, get("/in", traced("00000000000000a1")));
  p.out.send(2ms, get("/out", traced("00000000000000b1", "1" + kTrace.substr(1))));
  p.blocked(kWorker, 2ms + 100us, 5ms);
  p.out.receive(5ms, 5ms + 10us, kAnswer);
  p.in.send(6ms, kAnswer);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/out"), "/in");
  EXPECT_FALSE(cause_of(table, "/out").certain);
}

// A pool: one thread reads and answers the request, another, which waits for work, makes the call. Nothing connects
// them.
TEST(HardCases, h26_worker_pool_is_unknown_with_alternatives) {
  Service p;
  Endpoint &in1 = p.accepted(kWorker), &in2 = p.accepted(kWorker), &out = p.connected(kOtherWorker);
  in1.receive(1ms, 1ms, get("/in1"));
  in2.receive(1ms, 1ms + 10us, get("/in2"));
  out.send(2ms, get("/work"));
  p.blocked(kOtherWorker, 2ms + 10us, 3ms);
  out.receive(3ms, 3ms + 10us, kAnswer);
  in1.send(4ms, kAnswer);
  in2.send(5ms, kAnswer);
  const Cause cause = cause_of(p.table(), "/work");
  EXPECT_EQ(cause.parent, model::ExchangeId{});
  EXPECT_EQ(cause.alternatives, 2u);
}

// The server had closed the idle connection: the call is repeated on a new one. Both have the same parent.
TEST(HardCases, h27_attempts_have_the_same_cause) {
  ThreadPerRequest p;
  p.usual();
  p.in.receive(20ms, 20ms, get("/in2"));
  p.out.send(21ms, get("/again")).fin_arrives(21ms + 500us).eof(21ms + 600us);
  Endpoint& fresh = p.connected(kWorker);
  fresh.send(22ms, get("/again"));
  p.blocked(kWorker, 22ms + 10us, 23ms);
  fresh.receive(23ms, 23ms + 10us, kAnswer);
  p.in.send(24ms, kAnswer);
  const auto table = p.table();
  std::size_t attempts = 0;
  for (const auto row : table.rows) {
    if (table.texts[row.path] != "/again") continue;
    ++attempts;
    const Cause* cause = table.causes.find(row.id);
    ASSERT_NE(cause, nullptr);
    for (const auto other : table.rows)
      if (other.id == cause->parent) {
        EXPECT_EQ(table.texts[other.path], "/in2");
      }
    EXPECT_EQ(row.attempt, attempts);
  }
  EXPECT_EQ(attempts, 2u);
}

// One thread reads for all; workers call and answer.
TEST(Parents, AWorkerThatAnswersIsLikely) {
  Service p;
  constexpr Thread kLoop{100, 100};
  Endpoint& one = p.accepted(kLoop);
  Endpoint& two = p.accepted(kLoop);
  Endpoint& a = p.connected(kWorker);
  Endpoint& b = p.connected(kOtherWorker);
  one.receive(1ms, 1ms, get("/one"));
  two.receive(2ms, 2ms, get("/two"));
  a.send(3ms, get("/a")).receive(5ms, 5ms, kAnswer);
  b.send(4ms, get("/b")).receive(5ms, 5ms, kAnswer);
  one.by(kOtherWorker).send(6ms, kAnswer);
  two.by(kWorker).send(7ms, kAnswer);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/a"), "/two");
  EXPECT_EQ(parent_of(table, "/b"), "/one");
  EXPECT_EQ(cause_of(table, "/a"), (Cause{cause_of(table, "/a").parent, CauseMethod::thread, false, 1}));
}

// If its call outlasts its answer, the worker's next answer may be to a request that it took from the queue later.
TEST(Parents, AWorkerThatAnswersBeforeTheCallIsOverSaysNothing) {
  Service p;
  Endpoint& one = p.accepted(Thread{100, 100});
  Endpoint& a = p.connected(kWorker);
  one.receive(1ms, 1ms, get("/one"));
  a.send(3ms, get("/a"));
  one.by(kWorker).send(4ms, kAnswer);
  a.receive(5ms, 5ms, kAnswer);
  EXPECT_EQ(cause_of(p.table(), "/a"), (Cause{{}, CauseMethod::none, false, 1}));
}

}  // namespace
}  // namespace tailcap::causes_parents_test
