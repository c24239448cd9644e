// The parent of a call by goroutines, from the runtime's and net/http's events, and when it stays undecided.
#include <gtest/gtest.h>

#include "tests/unit/causes/go_service.h"

namespace tailcap {
namespace {

using namespace go_service;

TEST(CausesGo, TheGoroutineThatServesMakesTheCall) {
  GoService g;
  g.serve(1ms, 9ms, 20, "/one");
  g.serve(2ms, 8ms, 21, "/two");
  g.call(3ms, 4ms, 20, "/a");
  g.call(5ms, 6ms, 21, "/b");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain goroutine /one");
  EXPECT_EQ(told(table, "/b"), "certain goroutine /two");
}

// h26: a handler starts n goroutines, which start more.
TEST(CausesGo, h26_GoroutinesThatTheHandlerStarts) {
  GoService g;
  g.serve(1ms, 20ms, 20, "/one");
  g.serve(1ms, 20ms, 21, "/two");
  for (std::uint64_t n = 0; n < 8; ++n) {
    g.made(2ms, n % 2 ? 20 : 21, 30 + n);
    g.call(4ms, 8ms, 30 + n, "/child" + std::to_string(n));
    g.made(5ms, 30 + n, 50 + n);
    g.call(6ms, 9ms, 50 + n, "/grandchild" + std::to_string(n));
  }
  const auto table = g.table();
  for (int n = 0; n < 8; ++n)
    for (const char* kind : {"/child", "/grandchild"})
      EXPECT_EQ(told(table, kind + std::to_string(n)), std::string("certain goroutine ") + (n % 2 ? "/one" : "/two"));
}

// h26: a worker pool fed by a channel. The workers' creator is no evidence, even if it served a request.
TEST(CausesGo, h26_AWorkerPoolIsNotDecidedByItsMakers) {
  GoService g;
  g.made(0ms, 1, 30);
  g.serve(1ms, 20ms, 20, "/one");
  g.serve(1ms, 20ms, 21, "/two");
  g.serve(30ms, 40ms, 21, "/three");
  g.made(2ms, 20, 31);
  g.call(4ms, 5ms, 30, "/from-the-start");
  g.call(4ms, 5ms, 31, "/lazy");
  g.call(31ms, 32ms, 31, "/lazy-later");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/from-the-start"), "undecided of 2");
  EXPECT_EQ(told(table, "/lazy"), "undecided of 2");
  EXPECT_EQ(told(table, "/lazy-later"), "undecided of 1");
}

// h26: http.Transport. The connection was dialled for one request and carries another's call.
TEST(CausesGo, h26_ADialledConnectionSendsForWhoAsks) {
  GoService g;
  g.serve(1ms, 30ms, 20, "/one");
  g.serve(1ms, 30ms, 21, "/two");
  g.made(2ms, 20, 40);  // dials
  g.made(3ms, 40, 41);  // reads
  g.made(3ms, 40, 42);  // writes
  g.made(2ms, 21, 50);
  Endpoint& out = g.connected();
  g.call_by_transport(out, 4ms, 5ms, 50, 42, "/a");
  g.call_by_transport(out, 6ms, 7ms, 20, 42, "/b");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain goroutine /two");
  EXPECT_EQ(told(table, "/b"), "certain goroutine /one");
}

TEST(CausesGo, h26_WithoutTheHandOverATransportsCallIsUndecided) {
  GoService g;
  g.serve(1ms, 30ms, 20, "/one");
  g.serve(1ms, 30ms, 21, "/two");
  g.made(2ms, 20, 42);
  Endpoint& out = g.connected();
  out.of(42).send(4ms, get("/a"));
  out.of(41).receive(5ms, 5ms, kOk);
  EXPECT_EQ(told(g.table(), "/a"), "undecided of 2");
}

// The second hand-over was lost: the first one is not used for it.
TEST(CausesGo, AHandOverCountsOnce) {
  GoService g;
  g.serve(1ms, 30ms, 20, "/one");
  g.serve(1ms, 30ms, 21, "/two");
  Endpoint& out = g.connected();
  g.call_by_transport(out, 4ms, 5ms, 20, 42, "/a");
  g.s.add(6ms, kB, formats::GoCall{0xc000 + out.socket(), GoCallStep::sends}, 42);
  out.of(42).send(6ms + 10us, get("/b"));
  out.of(41).receive(7ms, 7ms, kOk);
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain goroutine /one");
  EXPECT_EQ(told(table, "/b"), "undecided of 2");
}

// A request with a body is sent in several pieces, all from one hand-over.
TEST(CausesGo, ARequestInSeveralPiecesIsOneHandOver) {
  GoService g;
  g.serve(1ms, 30ms, 20, "/one");
  g.serve(1ms, 30ms, 21, "/two");
  Endpoint& out = g.connected();
  const std::uint64_t connection = 0xc000 + out.socket();
  g.s.add(3ms, kA, formats::GoCall{connection, GoCallStep::asked}, 20);
  g.s.add(3ms + 10us, kB, formats::GoCall{connection, GoCallStep::sends}, 42);
  out.of(42).send(4ms, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 40\r\n\r\n");
  for (int n = 0; n < 20; ++n) {
    g.s.add(4ms + (n + 1) * 100us, kB, formats::GoCall{connection, GoCallStep::sends}, 42);
    out.send(4ms + (n + 1) * 100us + 50us, "xx");
  }
  out.of(41).receive(10ms, 10ms, kOk);
  g.call_by_transport(out, 12ms, 13ms, 21, 42, "/b");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain goroutine /one");
  EXPECT_EQ(told(table, "/b"), "certain goroutine /two");
}

// h26: read by goroutine A, written by B. A goroutine that only writes the answer may not have worked on the request.
TEST(CausesGo, h26_ReadByOneWrittenByAnother) {
  GoService g;
  Endpoint& in = g.accepted();
  in.of(20).receive(1ms, 1ms, get("/one"));
  in.of(21).send(20ms, kOk);
  g.call(4ms, 5ms, 21, "/a");
  g.call(6ms, 7ms, 20, "/b");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "likely goroutine /one");
  EXPECT_EQ(told(table, "/b"), "undecided of 1");
}

// net/http's background read takes the first byte of the next request; the handler's goroutine is still found.
TEST(CausesGo, ABackgroundReadDoesNotHideTheHandler) {
  GoService g;
  Endpoint& in = g.accepted();
  in.of(22).receive(1ms, 1ms, get("/one"));
  g.handles(2ms, 21);
  in.of(21).send(20ms, kOk);
  g.call(4ms, 5ms, 21, "/a");
  EXPECT_EQ(told(g.table(), "/a"), "certain goroutine /one");
}

TEST(CausesGo, WhatWasLostMakesNothingCertain) {
  GoService g;
  g.serve(1ms, 20ms, 20, "/one");
  g.s.loss(2ms, 3ms, formats::Kind::go_create, 2);
  g.call(4ms, 5ms, 20, "/a");
  EXPECT_EQ(told(g.table(), "/a"), "likely goroutine /one");
}

// The answer was lost: the goroutine may already be working on something unseen.
TEST(CausesGo, ARequestWhoseAnswerWasLostIsNotServedForEver) {
  GoService g;
  Endpoint& in = g.accepted().of(20);
  in.receive(1ms, 1ms, get("/one"));
  g.s.loss(2ms, 3ms, formats::Kind::send, 1);
  g.s.loss(12ms, 13ms, formats::Kind::receive, 1);
  g.call(14ms, 15ms, 20, "/a");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "undecided of 1");
  EXPECT_TRUE(cause_of(table, "/a").lost);
}

// The next request on its connection ends the previous one, answered or not.
TEST(CausesGo, AGoroutinesNextRequestEndsTheLast) {
  GoService g;
  Endpoint& in = g.accepted().of(20);
  in.receive(1ms, 1ms, get("/one"));
  g.s.loss(2ms, 3ms, formats::Kind::send, 1);
  in.lose_send(kOk.size());
  in.receive(20ms, 20ms, get("/two"));
  g.call(22ms, 23ms, 20, "/a");
  in.send(30ms, kOk);
  EXPECT_EQ(told(g.table(), "/a"), "certain goroutine /two");
}

// Lost: the goroutine that asked for the second call, and the sending of the first.
TEST(CausesGo, AHandOverFromBeforeALossIsNotBelieved) {
  GoService g;
  g.serve(1ms, 30ms, 20, "/one");
  g.serve(1ms, 30ms, 21, "/two");
  Endpoint& out = g.connected();
  const std::uint64_t connection = 0xc000 + out.socket();
  g.s.add(2ms, kA, formats::GoCall{connection, GoCallStep::asked}, 20);
  g.s.loss(3ms, 4ms, formats::Kind::go_call, 2);
  g.s.add(6ms, kB, formats::GoCall{connection, GoCallStep::sends}, 42);
  out.of(42).send(6ms + 10us, get("/b"));
  out.of(41).receive(7ms, 7ms, kOk);
  EXPECT_EQ(told(g.table(), "/b"), "undecided of 2");
}

TEST(CausesGo, AChainWithAGapIsUndecided) {
  GoService g;
  g.serve(1ms, 20ms, 20, "/one");
  g.made(3ms, 30, 31);  // the creator of 30 is unknown
  g.call(4ms, 5ms, 31, "/a");
  EXPECT_EQ(told(g.table(), "/a"), "undecided of 1");
}

// A goroutine that a request started makes a call after the request was answered.
TEST(CausesGo, OneCallAfterTheAnswerIsLikely) {
  GoService g;
  g.serve(1ms, 5ms, 20, "/one");
  g.serve(1ms, 30ms, 21, "/two");
  g.made(2ms, 20, 31);
  g.call(10ms, 11ms, 31, "/late");
  EXPECT_EQ(told(g.table(), "/late"), "likely goroutine /one");
}

// Goroutines of another process may have the same numbers.
TEST(CausesGo, NumbersAreOfOneProcess) {
  GoService g;
  g.serve(1ms, 20ms, 20, "/one");
  g.s.add(2ms, Thread{200, 200}, formats::GoCreate{31}, 20);
  g.call(4ms, 5ms, 31, "/a");
  EXPECT_EQ(told(g.table(), "/a"), "undecided of 1");
}

std::string handler_of(const model::RequestTable& table, std::string_view target) {
  for (const auto row : table.rows)
    if (table.texts[row.path] == target) return std::string(table.texts[table.handlers.find(row.id)]);
  return "no request";
}

TEST(HandlerFinder, TheInnermostThatItsGoroutineEntered) {
  GoService g;
  g.serve(1ms, 9ms, 20, "/wrapped");
  g.handles(2ms, 20, "main.logged.func1");
  g.handles(3ms, 20, "main.(*Cart).ServeHTTP");
  g.serve(1ms, 9ms, 21, "/plain");
  g.handles(2ms, 21, "main.plain");
  g.serve(1ms, 9ms, 22, "/unseen");
  g.handles(500us, 22, "main.before");
  g.handles(9500us, 22, "main.after");
  g.serve(1ms, 9ms, 23, "/nameless");
  g.handles(2ms, 23, "");
  const auto table = g.table();
  EXPECT_EQ(handler_of(table, "/wrapped"), "main.(*Cart).ServeHTTP");
  EXPECT_EQ(handler_of(table, "/plain"), "main.plain");
  EXPECT_EQ(handler_of(table, "/unseen"), "");
  EXPECT_EQ(handler_of(table, "/nameless"), "");
}

// Keep-alive: one goroutine serves all requests, each with its own handler.
TEST(HandlerFinder, OneGoroutineServesManyRequests) {
  GoService g;
  Endpoint& in = g.accepted().of(20);
  for (int n = 0; n < 50; ++n) {
    const Duration at = 1ms + n * 10ms;
    const std::string name = "main.handler" + std::to_string(n % 3);
    in.receive(at, at, get("/r" + std::to_string(n)));
    g.handles(at + 1ms, 20, g.s.own(name));
    in.send(at + 2ms, kOk);
  }
  const auto table = g.table();
  for (int n = 0; n < 50; ++n)
    EXPECT_EQ(handler_of(table, "/r" + std::to_string(n)), "main.handler" + std::to_string(n % 3));
}

}  // namespace
}  // namespace tailcap
