// Event loops with pools of connections: which request goes on, and which one may have waited for a connection.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/causes/cause_of.h"
#include "tests/unit/causes/service.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using service::get;
using service::kAnswer;
using service::kEpollWait;
using service::kWorker;
using service::Service;
using synth::Duration;
using synth::Endpoint;

// An iteration of a loop every millisecond.
struct Pooled : Service {
  std::deque<Endpoint*> requests, pool;
  Duration now = 1ms;
  int calls = 0;

  Pooled(int clients, int connections) {
    for (int i = 0; i < clients; ++i) requests.push_back(&accepted(kWorker));
    for (int i = 0; i < connections; ++i) pool.push_back(&connected(kWorker));
  }
  void iteration(std::uint32_t state = 1) {
    const Duration from = now;
    now += 1ms;
    s.off_cpu(kWorker, {.left = from, .runnable = now, .on = now, .syscall = kEpollWait, .state = state});
  }
  Duration next() { return now += 10us; }
  void asked(int request, const std::string& target) { requests[request]->receive(next(), next(), get(target)); }
  void call(int connection, const std::string& target) { pool[connection]->send(next(), get(target)); }
  void answered(int connection) { pool[connection]->receive(next(), next(), kAnswer); }
  void answer(int request) { requests[request]->send(next(), kAnswer); }
};

TEST(Loops, TheRequestThatMadeTheCallBeforeOnAConnectionGoesOn) {
  Pooled p(2, 2);
  p.iteration();
  p.asked(0, "/a");
  p.call(0, "/a1");
  p.iteration();
  p.asked(1, "/b");
  p.call(1, "/b1");
  p.iteration();
  p.answered(0);
  p.answered(1);
  p.call(0, "/a2");
  p.call(1, "/b2");
  p.iteration();
  p.answered(0);
  p.answered(1);
  p.answer(0);
  p.answer(1);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/a2"), "/a");
  EXPECT_EQ(parent_of(table, "/b2"), "/b");
  EXPECT_FALSE(cause_of(table, "/a2").certain);
}

// A timer's call while no request was under way, and then another in an iteration that reads one.
TEST(Loops, ACallOfAKindThatNothingAsksForHasNoParent) {
  for (const bool seen : {true, false}) {
    Pooled p(1, 2);
    p.iteration();
    if (seen) p.call(0, "/report/1");
    p.iteration();
    if (seen) p.answered(0);
    p.iteration();
    p.asked(0, "/a");
    p.call(1, "/report/2");
    p.iteration();
    p.answered(1);
    p.answer(0);
    EXPECT_EQ(parent_of(p.table(), "/report/2"), seen ? "" : "/a") << seen;
  }
}

// nginx's mirror, a handler that sends statistics.
TEST(Loops, ACallAfterTheAnswerIsOfTheRequestThatTheIterationAnswered) {
  Pooled p(1, 1);
  p.iteration();
  p.asked(0, "/a");
  p.answer(0);
  p.call(0, "/m");
  p.iteration();
  p.answered(0);
  const auto table = p.table();
  EXPECT_EQ(parent_of(table, "/m"), "/a");
  EXPECT_FALSE(cause_of(table, "/m").certain);
}

TEST(Loops, ACallAfterAnAnswerOfAnotherOriginHasNoParent) {
  for (const std::string other : {"answered", "read before", "unknown", "made elsewhere"}) {
    Pooled p(2, 1);
    if (other == "read before") {
      p.iteration();
      p.asked(1, "/b");
    }
    p.iteration();
    if (other == "answered") p.asked(1, "/b");
    if (other == "unknown") p.connected(kWorker).receive(p.next(), p.next(), "\x01\x02\x03");
    p.asked(0, "/a");
    if (other == "made elsewhere") p.iteration();  // a worker hands the answer to the loop, which reads nothing
    p.answer(0);
    if (other == "answered" || other == "read before") p.answer(1);
    p.call(0, "/m");
    EXPECT_EQ(parent_of(p.table(), "/m"), "") << other;
  }
}

// The calls of a kind that were seen to follow answers are not those of another request that is under way.
TEST(Loops, ACallAfterAnAnswerIsNotOfTheOnlyRequestWithoutAnAnswer) {
  for (const bool seen : {true, false}) {
    Pooled p(2, 1);
    if (seen) {
      p.iteration();
      p.asked(0, "/first");
      p.answer(0);
      p.call(0, "/m/1");
      p.iteration();
      p.answered(0);
    }
    p.iteration();
    p.asked(1, "/waits");
    p.iteration();
    p.asked(0, "/a");
    p.answer(0);
    p.call(0, "/m/2");
    p.iteration();
    p.answered(0);
    p.answer(1);
    EXPECT_EQ(parent_of(p.table(), "/m/2"), seen ? "/a" : "/waits") << seen;
  }
}

// Only the first and the last bytes of an answer belong to its call; the iterations between them read of it, too.
TEST(Loops, WhatIsReadInTheMiddleOfAnAnswerIsReadAllTheSame) {
  Pooled p(1, 2);
  p.iteration();
  p.asked(0, "/a");
  p.call(0, "/a1");
  p.iteration();
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n0123456789";
  p.pool[0]->receive(p.next(), p.next(), answer);
  p.iteration();
  p.pool[0]->receive(p.next(), p.next(), "0123456789");
  p.call(1, "/a2");
  p.iteration();
  p.pool[0]->receive(p.next(), p.next(), "0123456789");
  p.answered(1);
  p.answer(0);
  EXPECT_EQ(parent_of(p.table(), "/a2"), "/a");
}

// It may still have handlers to run.
TEST(Loops, AThreadThatLosesTheCpuInItsWaitHasNotWaited) {
  for (const bool blocked : {true, false}) {
    Pooled p(2, 2);
    p.iteration();
    p.asked(0, "/a");
    p.call(0, "/a1");
    p.iteration();
    p.asked(1, "/b");
    p.call(1, "/b1");
    p.iteration();
    p.answered(0);
    p.iteration(blocked ? 1 : 0);
    p.answered(1);
    p.pool.push_back(&p.connected(kWorker));
    p.call(2, "/c");
    EXPECT_EQ(parent_of(p.table(), "/c"), blocked ? "/b" : "") << blocked;
  }
}

// One connection, and a request that waits for it, or comes as it becomes free: it has it at once.
TEST(Loops, AConnectionThatARequestWaitsForMayChangeHands) {
  for (const std::string other : {"none", "waits", "comes"}) {
    Pooled p(2, 1);
    p.iteration();
    p.asked(0, "/a");
    p.call(0, "/a1");
    p.iteration();
    if (other == "waits") {
      p.asked(1, "/b");
      p.iteration();
    }
    p.answered(0);
    if (other == "comes") p.asked(1, "/b");
    p.call(0, "/next");
    p.iteration();
    p.answered(0);
    p.answer(0);
    const auto table = p.table();
    EXPECT_EQ(parent_of(table, "/next"), other == "none" ? "/a" : "") << other;
    EXPECT_EQ(cause_of(table, "/next").alternatives, other == "none" ? 0u : 2u) << other;
  }
}

// Two requests at a time share a connection. Held: each makes its three calls and answers, and the other one has it.
TEST(Loops, WhereRequestsHoldConnectionsTheirAnswersSayWhich) {
  Pooled p(2, 1);
  p.iteration();
  p.asked(0, "/r0");
  p.call(0, "/call0");
  p.iteration();
  for (int r = 0; r < 20; ++r) {
    const std::string other = "/r" + std::to_string(r + 1);
    p.asked((r + 1) % 2, other);
    p.iteration();
    for (int call = 1; call < 3; ++call) {
      p.answered(0);
      p.call(0, "/call" + std::to_string(3 * r + call));
      p.iteration();
    }
    p.answered(0);
    p.answer(r % 2);
    p.call(0, "/call" + std::to_string(3 * r + 3));
    p.iteration();
  }
  const auto table = p.table();
  for (const char* call : {"/call15", "/call16", "/call17"}) {
    EXPECT_EQ(parent_of(table, call), "/r5") << call;
    EXPECT_EQ(cause_of(table, call).method, model::CauseMethod::turn);
    EXPECT_FALSE(cause_of(table, call).certain);
  }
}

// Each call takes it, and the other request has waited for it meanwhile.
TEST(Loops, WhereEachCallTakesAConnectionNoneIsTakenForAnothers) {
  Pooled p(2, 1);
  int made[2] = {1, 0}, asked = 2, who = 0;
  p.iteration();
  p.asked(0, "/r0");
  p.call(0, "/first");
  p.asked(1, "/r1");
  for (int i = 0; i < 60; ++i) {
    p.iteration();
    p.answered(0);
    const int other = 1 - who;
    p.call(0, "/call" + std::to_string(i));
    ++made[other];
    if (made[who] == 3) {
      p.answer(who);
      made[who] = 0;
      p.asked(who, "/r" + std::to_string(asked++));
    }
    who = other;
  }
  const auto table = p.table();
  for (int i = 0; i < 60; ++i) EXPECT_EQ(parent_of(table, "/call" + std::to_string(i)), "") << i;
}

// As pools of asyncio do: the connection has been passed on when the answer of the request that had it is sent.
TEST(Loops, WhatARequestCallsFirstSaysWhereAConnectionWasPassedOn) {
  Pooled p(2, 1);
  p.iteration();
  p.asked(0, "/r0");
  p.call(0, "/begin/0");
  p.iteration();
  for (int r = 0; r < 20; ++r) {
    p.asked((r + 1) % 2, "/r" + std::to_string(r + 1));
    p.iteration();
    for (const char* call : {"/work/", "/end/"}) {
      p.answered(0);
      p.call(0, call + std::to_string(r));
      p.iteration();
    }
    p.answered(0);
    p.call(0, "/begin/" + std::to_string(r + 1));
    p.answer(r % 2);
    p.iteration();
  }
  const auto table = p.table();
  for (const char* call : {"/begin/5", "/work/5", "/end/5"}) {
    EXPECT_EQ(parent_of(table, call), "/r5") << call;
    EXPECT_FALSE(cause_of(table, call).certain);
  }
  // Its request has not been answered, and another one waited.
  EXPECT_EQ(parent_of(table, "/begin/20"), "");
}

// Each call takes a connection, and has the place of its own in its request.
TEST(Loops, CallsThatTakeAConnectionEachBeginAnywhere) {
  for (const int calls : {2, 3}) {
    for (const int clients : {2, 3, 4}) {
      Pooled p(clients, 1);
      std::deque<std::pair<int, int>> waiting;                 // requests, and how many calls they have made
      std::vector<std::pair<std::string, std::string>> truth;  // calls, and their requests
      std::vector<int> number(static_cast<std::size_t>(clients));
      int requests = 0;
      p.iteration();
      const auto ask = [&](int client) {
        number[static_cast<std::size_t>(client)] = requests;
        p.asked(client, "/r" + std::to_string(requests++));
        waiting.emplace_back(client, 0);
      };
      const auto take = [&] {
        const auto [client, made] = waiting.front();
        waiting.pop_front();
        const std::string call =
            "/" + std::string(1, static_cast<char>('a' + made)) + "/" + std::to_string(truth.size());
        p.call(0, call);
        truth.emplace_back(call, "/r" + std::to_string(number[static_cast<std::size_t>(client)]));
        return std::pair(client, made + 1);
      };
      for (int c = 0; c < clients; ++c) ask(c);
      auto has = take();
      for (int i = 0; i < 200; ++i) {
        p.iteration();
        p.answered(0);
        const auto [client, made] = has;
        if (made < calls) waiting.emplace_back(client, made);
        has = take();
        if (made < calls) continue;
        p.answer(client);
        ask(client);
      }
      const auto table = p.table();
      std::size_t wrong = 0;
      for (const auto& [call, request] : truth) {
        const std::string found = parent_of(table, call);
        wrong += !found.empty() && found != request;
      }
      EXPECT_EQ(wrong, 0u) << calls << " calls, " << clients << " requests";
    }
  }
}

}  // namespace
}  // namespace tailcap
