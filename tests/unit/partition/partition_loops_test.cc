// Labels of requests served by an event loop, by its iterations. Exact to the nanosecond.
#include "tests/unit/partition/partition_case.h"

namespace tailcap {
namespace {

using model::Label;

constexpr Thread kLoop{10, 10}, kPool{10, 12};

struct LoopCase : PartitionCase {
  void idle(Duration left, Duration woken, Duration on) { off(kLoop, left, woken, on, kEpollWait); }
};

TEST(PartitionOfLoops, ANeighboursTurn) {
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  Endpoint& b = c.accepted(kLoop);
  c.idle(5ms, 10005us, 10015us);
  a.receive(10ms, 10020us, get("/spin"));
  b.arrive(12ms, static_cast<std::uint32_t>(get("/b").size()));
  a.send(60ms, kOk);
  b.read(60010us, get("/b"));
  b.send(61ms, kOk);
  EXPECT_EQ(c.labels("/spin"), "q.notice 5 sched.runq 10 cpu 49985");
  EXPECT_EQ(c.labels("/b"), "q.loop 48000 q.loop~ 10 cpu 990");
  const model::Culprit culprit = c.culprit("/b", Label::q_loop);
  EXPECT_EQ(c.path_of(culprit.request), "/spin");
  EXPECT_EQ(std::int64_t{culprit.time}, 48'000'000);
}

// It waits for the listener with others, takes one connection and serves it to its end: the next one is in the queue,
// which is known from the queue's length when the one before is closed, or, in tier C, from the accept itself.
TEST(PartitionOfLoops, AWorkerThatAcceptsOneConnectionAtATime) {
  for (const std::string how : {"looks", "accept", "several", "accepted early", "lost"}) {
    LoopCase c;
    Endpoint& a = c.accepted(kLoop);
    Endpoint& b = c.accepted(kLoop);
    c.idle(5ms, 10005us, 10015us);
    for (const auto& [end, queue] : {std::pair(&a, 1u), std::pair(&b, how == "accepted early" ? 0u : 1u)}) {
      formats::SocketInfo info = end->info();
      info.listener = 99;
      info.queue = queue;
      info.queue_limit = 128;
      c.s.add(end == &a ? 9ms : 11ms, {}, info);
    }
    a.receive(10ms, 10020us, get("/spin"));
    b.arrive(12ms, static_cast<std::uint32_t>(get("/b").size()));
    a.send(60ms, kOk);
    if (how == "lost") c.s.add(60ms, {}, formats::Loss{synth::kStart + 59ms, formats::LossCause::ring_full, 7, 1});
    if (how != "several") {
      formats::StateChange closes{a.socket(), formats::TcpState::established, formats::TcpState::fin_wait1, true};
      closes.queue = how == "accepted early" ? 0 : 1;
      c.s.add(60002us, kLoop, closes);
    }
    if (how == "accept") c.s.add(60004us, kLoop, formats::Accept{b.socket(), 5});
    b.read(60010us, get("/b"));
    b.send(61ms, kOk);
    EXPECT_EQ(c.labels("/b"), how == "looks"    ? "q.accept~ 48002 q.loop~ 8 cpu 990"
                              : how == "accept" ? "q.accept 48004 q.loop~ 6 cpu 990"
                                                : "q.loop 48000 q.loop~ 10 cpu 990")
        << how;
    const bool queued = how == "looks" || how == "accept";
    EXPECT_EQ(c.path_of(c.culprit("/b", queued ? Label::q_accept : Label::q_loop).request), "/spin") << how;
  }
}

// The same with more turns of others than get a label one by one.
TEST(PartitionOfLoops, ALongQueueBeforeAWorker) {
  constexpr unsigned kWaiting = 24;
  LoopCase c;
  std::vector<Endpoint*> ends;
  for (unsigned i = 0; i < kWaiting; ++i) ends.push_back(&c.accepted(kLoop));
  c.idle(5ms, 10ms, 10ms);
  for (unsigned i = 0; i < kWaiting; ++i) {
    formats::SocketInfo info = ends[i]->info();
    info.listener = 99;
    info.queue = i + 1;
    info.queue_limit = 128;
    c.s.add(9ms + std::chrono::microseconds(i), {}, info);
    ends[i]->arrive(9500us, static_cast<std::uint32_t>(get("/" + std::to_string(i)).size()));
  }
  for (unsigned i = 0; i < kWaiting; ++i) {
    const Duration at = 10ms + i * 1ms;
    ends[i]->read(at, get("/" + std::to_string(i)));
    ends[i]->send(at + 990us, kOk);
    formats::StateChange closes{ends[i]->socket(), formats::TcpState::established, formats::TcpState::fin_wait1, true};
    closes.queue = kWaiting - 1 - i;
    c.s.add(at + 995us, kLoop, closes);
  }
  EXPECT_EQ(c.labels("/23"), "q.accept~ 23495 q.loop~ 5 cpu 990");
}

// A thread of its own for each connection, which waits for it and for a timeout: before it began, it was busy with
// nothing.
TEST(PartitionOfLoops, AThreadThatDidNotExistYet) {
  constexpr Thread kNew{10, 20};
  enum class Told { at_start, late, never };
  for (const Told told : {Told::at_start, Told::late, Told::never}) {
    LoopCase c;
    Endpoint& a = c.accepted(kNew);
    a.arrive(10ms, static_cast<std::uint32_t>(get("/a").size()));
    if (told == Told::late) c.s.add(12900us, kNew, formats::TaskInfo{.started = synth::kStart + 12ms});
    if (told == Told::at_start) {
      c.s.add(12ms, kNew, formats::TaskStart{});
      c.off(kNew, 12ms, 12ms, 12500us, -1);
    }
    a.read(13ms, get("/a"));
    a.send(14ms, kOk);
    c.off(kNew, 14100us, 64ms, 64ms, kEpollWait);
    EXPECT_EQ(c.labels("/a"), told == Told::at_start ? "q.accept~ 2000 sched.runq 500 cpu 1500"
                              : told == Told::late   ? "q.accept~ 2000 unexplained.nocarrier 2000"
                                                     : "unexplained.nocarrier 4000");
  }
}

// asyncio first reads all ready connections, then runs the handlers one after the other.
TEST(PartitionOfLoops, ReadingFirstServingAfterwards) {
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  Endpoint& b = c.accepted(kLoop);
  c.idle(5ms, 10ms, 10ms);
  a.receive(10ms, 10020us, get("/a"));
  b.receive(10ms, 10040us, get("/b"));
  a.send(30040us, kOk);
  b.send(50040us, kOk);
  EXPECT_EQ(c.labels("/a"), "cpu 40 cpu~ 20000");
  EXPECT_EQ(c.labels("/b"), "q.loop 40 q.loop~ 20000 cpu 20000");
}

// The loop was already running when the recording began and was never idle: switching between requests identifies it.
TEST(PartitionOfLoops, NeverIdle) {
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  Endpoint& b = c.accepted(kLoop);
  c.preempted(kLoop, 5ms, 6ms);
  a.receive(10ms, 10020us, get("/a"));
  b.receive(10ms, 10040us, get("/b"));
  a.send(30040us, kOk);
  b.send(50040us, kOk);
  EXPECT_EQ(c.labels("/a"), "q.loop~ 20 cpu 20 cpu~ 20000");
  EXPECT_EQ(c.labels("/b"), "q.loop 20 q.loop~ 20020 cpu 20000");
}

TEST(PartitionOfLoops, ACallAndALateTurn) {
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  Endpoint& b = c.accepted(kLoop);
  Endpoint& out = c.connected(kLoop);
  c.idle(5ms, 10ms, 10ms);
  a.receive(10ms, 10020us, get("/a"));
  out.send(11ms, get("/stock"));
  c.idle(11100us, 20ms, 20ms);
  b.receive(20ms, 20010us, get("/b"));
  out.arrive(25ms, static_cast<std::uint32_t>(kOk.size()));
  b.send(40ms, kOk);
  out.read(40010us, kOk);
  a.send(41ms, kOk);
  // The answer came at 25 ms, while the loop worked on another request.
  EXPECT_EQ(c.labels("/a"), "down.wait~ 13900 q.loop 15000 q.loop~ 10 cpu 2090");
  EXPECT_EQ(c.path_of(c.culprit("/a", Label::q_loop).request), "/b");
  EXPECT_EQ(c.path_of(c.culprit("/a", Label::down_wait).request), "/stock");
}

TEST(PartitionOfLoops, ATimer) {
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  c.idle(5ms, 10ms, 10ms);
  a.receive(10ms, 10020us, get("/sleep"));
  c.idle(10100us, 30100us, 30150us);
  a.send(30200us, kOk);
  EXPECT_EQ(c.labels("/sleep"), "timer.sleep~ 20000 sched.runq 50 cpu 150");
}

// What a request that had no answer when the recording ended waited for then.
std::string last_wait(LoopCase& c, const std::string& target) {
  const pipeline::Analysis& a = c.analysis();
  std::optional<model::AccountPart> most;
  for (const model::Request row : a.table.rows)
    if (a.table.texts[row.path] == target && row.role == model::Role::server)
      for (const model::AccountPart& p : a.table.unfinished.parts(row.id))
        if (!most || p.time > most->time) most = p;
  return !most ? "none"
               : std::string(model::name_of(most->label)) + (most->evidence == model::Evidence::inferred ? "~" : "");
}

// Two requests had been read when it was made, so it has no parent; the one that goes on with its answer likely made
// it. What that one waited for before is not known.
TEST(PartitionOfLoops, BeforeACallWithoutAParent) {
  LoopCase c;
  Endpoint &a = c.accepted(kLoop), &b = c.accepted(kLoop), &other = c.connected(kLoop);
  c.idle(5ms, 10005us, 10015us);
  a.receive(10ms, 10020us, get("/a"));
  b.receive(10ms, 10030us, get("/b"));
  c.idle(11ms, 30ms, 30ms);
  other.send(30100us, get("/call"));
  c.idle(31ms, 40ms, 40ms);
  other.receive(40ms, 40ms, kOk);
  a.send(41ms, kOk);
  c.idle(42ms, 50ms, 50ms);
  b.send(51ms, kOk);
  EXPECT_EQ(c.labels("/a"), "down.wait~ 9900 blocked.unknown~ 20070 q.notice 5 sched.runq 10 cpu 1015");
}

// The loop read both requests before it made the calls, so that whose these are is not known.
TEST(PartitionOfLoops, CallsWithoutAnAnswerAtTheEnd) {
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  Endpoint& b = c.accepted(kLoop);
  Endpoint& other = c.accepted(kLoop);
  Endpoint& first = c.connected(kLoop);
  Endpoint& second = c.connected(kLoop);
  c.idle(5ms, 10ms, 10ms);
  a.receive(10010us, 10020us, get("/a"));
  b.receive(10015us, 10030us, get("/b"));
  first.send(11ms, get("/stock"));
  second.send(12ms, get("/stock"));
  c.idle(13100us, 14ms, 14ms);
  other.receive(14010us, 14020us, get("/other"));
  c.ongoing(kLoop, 14100us, 2s, kEpollWait);
  EXPECT_EQ(last_wait(c, "/a"), "down.wait~");
  EXPECT_EQ(last_wait(c, "/b"), "down.wait~");
  EXPECT_EQ(last_wait(c, "/other"), "blocked.unknown~");
}

TEST(PartitionOfLoops, AThreadOfItsPool) {
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  c.idle(5ms, 10ms, 10ms);
  a.receive(10ms, 10020us, get("/zip"));
  c.off(kPool, 2ms, 10080us, 10100us, kFutex, 0x9000, kLoop.tid);
  c.idle(10120us, 30100us, 30100us);
  c.off(kPool, 30110us, 90ms, 90ms, kFutex, 0x9000, kLoop.tid);
  a.send(30200us, kOk);
  EXPECT_EQ(c.labels("/zip"), "cpu 220 cpu~ 19980");
}

// Both threads of the pool are busy when /b hands its job over; one of them gives a result for /a after 20 ms. `idle`:
// the other one waits for a job.
std::string pool_of_two(bool idle, std::string& culprit) {
  constexpr Thread kSecond{10, 13};
  constexpr std::uint64_t kJobs = 0x9000;
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  Endpoint& b = c.accepted(kLoop);
  c.off(kPool, 1ms, 5ms, 5ms, kFutex, kJobs);
  c.off(kSecond, 1ms, idle ? 40ms : 5ms, idle ? 40ms : 5ms, kFutex, kJobs + 4);
  c.idle(5ms, 9ms, 9ms);
  a.receive(9ms, 9ms, get("/a"));
  c.idle(9100us, 10ms, 10ms);
  b.receive(10ms, 10ms, get("/b"));
  formats::OffCpu& first = c.off(kLoop, 10100us, 30ms, 30ms, kEpollWait);
  first.waker = kPool.tid;
  first.woken_in = formats::WokenIn::thread;
  a.send(30100us, kOk);
  formats::OffCpu& second = c.off(kLoop, 30200us, 50ms, 50ms, kEpollWait);
  second.waker = kSecond.tid;
  second.woken_in = formats::WokenIn::thread;
  b.send(50100us, kOk);
  c.off(kPool, 60ms, 70ms, 70ms, kFutex, kJobs);
  c.off(kSecond, 60ms, 70ms, 70ms, kFutex, kJobs + 4);
  const std::string labels = c.labels("/b");
  const model::Culprit behind = c.culprit("/b", Label::q_pool);
  culprit = std::to_string(model::PoolOfConnections::of(behind.what).connections) + " " + c.path_of(behind.request);
  return labels;
}

TEST(PartitionOfLoops, APoolWhoseThreadsAreAllBusy) {
  std::string culprit;
  EXPECT_EQ(pool_of_two(false, culprit), "q.pool~ 19900 blocked.unknown~ 20000 cpu 200");
  EXPECT_EQ(culprit, "2 /a");
  EXPECT_EQ(pool_of_two(true, culprit).find("q.pool"), std::string::npos) << "one of them was idle";
}

TEST(PartitionOfLoops, StoppedWhileTheAnswerWasThere) {
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  Endpoint& out = c.connected(kLoop);
  c.idle(5ms, 10ms, 10ms);
  a.receive(10ms, 10020us, get("/a"));
  out.send(11ms, get("/stock"));
  c.idle(11100us, 12ms, 12ms);
  c.off(kLoop, 12ms, 50ms, 50010us, -1).state = 4;  // a signal stopped it
  out.receive(30ms, 50020us, kOk);
  a.send(51ms, kOk);
  // Until the answer came, the request had to wait in any case.
  EXPECT_EQ(c.labels("/a"), "down.wait~ 18900 q.loop~ 10 sched.stopped 20000 sched.runq 10 cpu 2080");
}

// If several calls are under way at once, the last to end gets the wait.
TEST(PartitionOfLoops, FanOutTakesTheCriticalPath) {
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  Endpoint& slow = c.connected(kLoop);
  Endpoint& quick = c.connected(kLoop);
  c.idle(5ms, 10ms, 10ms);
  a.receive(10ms, 10020us, get("/fan"));
  slow.send(11ms, get("/slow"));
  quick.send(11010us, get("/quick"));
  c.idle(11100us, 20ms, 20ms);
  quick.receive(20ms, 20020us, kOk);
  c.idle(20100us, 40ms, 40ms);
  slow.receive(40ms, 40020us, kOk);
  a.send(41ms, kOk);
  EXPECT_EQ(c.labels("/fan"), "down.wait~ 28800 cpu 2200");
  EXPECT_EQ(c.path_of(c.culprit("/fan", Label::down_wait).request), "/slow");
  pipeline::Options options;
  options.partition = true;
  for (const model::Request row : c.analysis().table.rows)
    if (c.analysis().table.texts[row.path] == "/fan") options.follow = row.id;
  const auto followed = pipeline::analyze(synth::plain_preamble(), c.s.with_end(), options);
  for (const model::Course& course : followed.courses) {
    if (course.request != options.follow) continue;
    ASSERT_EQ(course.calls.size(), 2u);
    for (const auto& call : course.calls) {
      const bool is_slow = c.path_of(call.request) == "/slow";
      EXPECT_EQ(call.on_path, is_slow);
      EXPECT_EQ(call.slack, is_slow ? Duration{} : Duration{20ms});
    }
    EXPECT_EQ(course.stretches.front().from, synth::kStart + 10ms);
    EXPECT_EQ(course.stretches.back().to, synth::kStart + 41ms);
  }
}

TEST(PartitionOfLoops, PipelinedBehindAPredecessor) {
  LoopCase c;
  Endpoint& a = c.accepted(kLoop);
  c.idle(5ms, 10ms, 10ms);
  a.receive(10ms, 10020us, get("/one") + get("/two"));
  a.send(30ms, kOk);
  a.send(31ms, kOk);
  EXPECT_EQ(c.labels("/two").substr(0, 15), "q.hol_h1 19980 ");
}

}  // namespace
}  // namespace tailcap
