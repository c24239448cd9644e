// The parent of a call by trace id, by thread and by event-loop iteration, and when it stays undecided.
#include <gtest/gtest.h>

#include "analyze/causes/parents/parents.h"
#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"
#include "tests/unit/causes/cause_of.h"

namespace tailcap::causes_parents {
namespace {

using namespace std::chrono_literals;
using model::Cause;
using model::CauseMethod;
using synth::Duration;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::Thread;

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr std::int16_t kEpollWait = 232, kRecvfrom = 45;

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string traced(const std::string& span, const std::string& trace = kTrace) {
  return "traceparent: 00-" + trace + "-" + span + "-01\r\n";
}
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Requests to one process, and its calls to others.
struct Service {
  Scenario s;
  std::uint16_t ports = 0;

  Endpoint& accepted(Thread thread) {
    Opening o;
    o.thread = thread;
    o.remote = "10.0.0.2:" + std::to_string(40000 + ports++);
    return s.open(0ms, o);
  }
  Endpoint& connected(Thread thread) {
    Opening o;
    o.thread = thread;
    o.origin = formats::Origin::connected;
    o.local = "10.0.0.1:" + std::to_string(50000 + ports++);
    o.remote = "10.0.0.3:80";
    return s.open(0ms, o);
  }
  void blocked(Thread thread, Duration from, Duration to, std::int16_t syscall = kRecvfrom) {
    s.off_cpu(thread, {.left = from, .runnable = to, .on = to, .syscall = syscall});
  }
  model::RequestTable table() { return pipeline::analyze(synth::plain_preamble(), s.with_end()).table; }
};

constexpr Thread kA{100, 101}, kB{100, 102};

// A thread that reads a request, makes a call, waits for it and answers.
struct ThreadPerRequest : Service {
  Endpoint& in = accepted(kA);
  Endpoint& out = connected(kA);
  void usual() {
    in.receive(1ms, 1ms, get("/in"));
    out.send(2ms, get("/out"));
    blocked(kA, 2ms + 100us, 5ms);
    out.receive(5ms, 5ms + 10us, kOk);
    in.send(6ms, kOk);
  }
};

// A driver may wait with epoll: a thread that blocks in reads of the connection that it serves is no event loop for
// that.
TEST(Parents, AThreadThatBlocksInReadsOfWhatItServesIsNoLoop) {
  for (const bool blocks : {true, false}) {
    ThreadPerRequest p;
    if (blocks)
      p.s.add(1ms, kA,
              formats::OffCpu{.left = synth::kStart,
                              .runnable = synth::kStart + 1ms,
                              .state = 1,
                              .syscall = kRecvfrom,
                              .socket = p.in.socket()});
    p.in.receive(1ms, 1ms, get("/in"));
    p.out.send(2ms, get("/out"));
    p.blocked(kA, 2ms + 100us, 5ms, kEpollWait);
    p.out.receive(5ms, 5ms + 10us, kOk);
    p.blocked(kA, 6ms, 7ms, kEpollWait);
    p.out.send(8ms, get("/again"));
    p.blocked(kA, 8ms + 100us, 9ms, kEpollWait);
    p.out.receive(9ms, 9ms + 10us, kOk);
    p.in.send(10ms, kOk);
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
  Endpoint& in = p.accepted(kA);
  in.receive(11ms, 11ms, get("/in2"));
  for (int i = 0; i < 3; ++i) {
    const Duration at = 12ms + i * 3ms;
    p.out.send(at, get("/call" + std::to_string(i)));
    p.blocked(kA, at + 10us, at + 1ms);
    p.out.receive(at + 1ms, at + 1ms + 10us, kOk);
  }
  in.send(30ms, kOk);
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
         p.out.send(2ms, get("/out")).receive(5ms, 5ms + 10us, kOk);
         p.in.send(6ms, kOk);
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
         p.blocked(kA, 2ms + 100us, 5ms);
         p.out.receive(5ms, 5ms + 10us, kOk);
         p.in.by(kB).send(6ms, kOk);
       }},
      {"it is answered before the call is",
       [](ThreadPerRequest& p) {
         p.in.receive(1ms, 1ms, get("/in"));
         p.out.send(2ms, get("/out"));
         p.in.send(3ms, kOk);
         p.blocked(kA, 3ms + 100us, 5ms);
         p.out.receive(5ms, 5ms + 10us, kOk);
       }},
      {"two calls overlap",
       [](ThreadPerRequest& p) {
         Endpoint& other = p.connected(kA);
         p.in.receive(1ms, 1ms, get("/in"));
         p.out.send(2ms, get("/out"));
         other.send(3ms, get("/other"));
         p.blocked(kA, 3ms + 100us, 5ms);
         p.out.receive(5ms, 5ms + 10us, kOk);
         other.receive(5ms, 5ms + 20us, kOk);
         p.in.send(6ms, kOk);
       }},
      {"waits of the thread were lost",
       [](ThreadPerRequest& p) {
         p.usual();
         formats::OffCpu off;
         off.left = off.runnable = synth::kStart + 7ms;
         off.missed = 2;
         p.s.add(8ms, kA, off);
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
  p.blocked(kA, 8ms, 9ms);
  formats::OffCpu off;
  off.left = off.runnable = synth::kStart + 20ms;
  off.missed = 1;
  p.s.add(21ms, kA, off);
  EXPECT_TRUE(cause_of(p.table(), "/out").certain);
}

TEST(Parents, ACallOfAnotherThreadIsUnknown) {
  ThreadPerRequest p;
  Endpoint& other = p.connected(kB);
  p.usual();
  other.send(3ms, get("/background")).receive(4ms, 4ms, kOk);
  const auto table = p.table();
  const Cause cause = cause_of(table, "/background");
  EXPECT_EQ(cause.parent, model::ExchangeId{});
  EXPECT_EQ(cause.alternatives, 1u);
  EXPECT_TRUE(cause_of(table, "/out").certain) << "what another thread does changes nothing";
}

TEST(Parents, ACallWithoutAnyRequestHasNoCause) {
  ThreadPerRequest p;
  p.usual();
  p.out.send(20ms, get("/later")).receive(21ms, 21ms, kOk);
  EXPECT_EQ(cause_of(p.table(), "/later"), Cause{});
}

// One thread, many requests: epoll_wait, read, call; epoll_wait, read an answer, answer.
struct Loop : Service {
  Endpoint &in1 = accepted(kA), &in2 = accepted(kA), &out1 = connected(kA), &out2 = connected(kA);
  void wait(Duration from, Duration to) { blocked(kA, from, to, kEpollWait); }
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
  p.out1.receive(5ms, 5ms + 10us, kOk).send(5ms + 50us, get("/out1b"));
  p.wait(5ms + 100us, 6ms);
  p.out1.receive(6ms, 6ms + 10us, kOk);
  p.in1.send(6ms + 50us, kOk);
  p.wait(7ms, 8ms);
  p.out2.receive(8ms, 8ms + 10us, kOk);
  p.in2.send(8ms + 50us, kOk);
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
  o.thread = kA;
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
  p.s.add(1ms + 30us, kA, syn);
  fresh.state(1ms + 40us, formats::TcpState::syn_sent, formats::TcpState::established);
  p.in2.receive(1ms + 50us, 1ms + 60us, get("/in2"));
  fresh.send(1ms + 70us, get("/out1"));
  p.out2.send(1ms + 80us, get("/out2"));
  p.wait(2ms, 3ms);
  p.in1.send(8ms, kOk);
  p.in2.send(8ms, kOk);
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
  p.in1.send(8ms, kOk);
  p.in2.send(8ms, kOk);
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
  p.out1.send(3ms + 50us, get("/timer")).receive(4ms, 4ms, kOk);
  p.wait(4ms + 100us, 5ms);
  p.in1.send(5ms, kOk);
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
  p.out2.by(kB).send(2ms, get("/out2", traced("00000000000000b2", other)));
  p.out1.by(kB).send(3ms, get("/out1", traced("00000000000000b1")));
  p.in1.send(8ms, kOk);
  p.in2.send(8ms, kOk);
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
    p.out1.by(kB).send(2ms, get("/out1", b3("00000000000000b1", tells ? "00000000000000a2" : "00000000000000cc")));
    p.in1.send(8ms, kOk);
    p.in2.send(8ms, kOk);
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
  p.blocked(kA, 2ms + 100us, 5ms);
  p.out.receive(5ms, 5ms + 10us, kOk);
  p.in.send(6ms, kOk);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/out"), "/in");
  EXPECT_FALSE(cause_of(table, "/out").certain);
}

// A pool: one thread reads and answers the request, another, which waits for work, makes the call. Nothing connects
// them.
TEST(HardCases, h26_worker_pool_is_unknown_with_alternatives) {
  Service p;
  Endpoint &in1 = p.accepted(kA), &in2 = p.accepted(kA), &out = p.connected(kB);
  in1.receive(1ms, 1ms, get("/in1"));
  in2.receive(1ms, 1ms + 10us, get("/in2"));
  out.send(2ms, get("/work"));
  p.blocked(kB, 2ms + 10us, 3ms);
  out.receive(3ms, 3ms + 10us, kOk);
  in1.send(4ms, kOk);
  in2.send(5ms, kOk);
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
  Endpoint& fresh = p.connected(kA);
  fresh.send(22ms, get("/again"));
  p.blocked(kA, 22ms + 10us, 23ms);
  fresh.receive(23ms, 23ms + 10us, kOk);
  p.in.send(24ms, kOk);
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
  Endpoint& a = p.connected(kA);
  Endpoint& b = p.connected(kB);
  one.receive(1ms, 1ms, get("/one"));
  two.receive(2ms, 2ms, get("/two"));
  a.send(3ms, get("/a")).receive(5ms, 5ms, kOk);
  b.send(4ms, get("/b")).receive(5ms, 5ms, kOk);
  one.by(kB).send(6ms, kOk);
  two.by(kA).send(7ms, kOk);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/a"), "/two");
  EXPECT_EQ(parent_of(table, "/b"), "/one");
  EXPECT_EQ(cause_of(table, "/a"), (Cause{cause_of(table, "/a").parent, CauseMethod::thread, false, 1}));
}

// If its call outlasts its answer, the worker's next answer may be to a request that it took from the queue later.
TEST(Parents, AWorkerThatAnswersBeforeTheCallIsOverSaysNothing) {
  Service p;
  Endpoint& one = p.accepted(Thread{100, 100});
  Endpoint& a = p.connected(kA);
  one.receive(1ms, 1ms, get("/one"));
  a.send(3ms, get("/a"));
  one.by(kA).send(4ms, kOk);
  a.receive(5ms, 5ms, kOk);
  EXPECT_EQ(cause_of(p.table(), "/a"), (Cause{{}, CauseMethod::none, false, 1}));
}

}  // namespace
}  // namespace tailcap::causes_parents
