// Which goroutine serves each HTTP/2 request: the connection's own goroutine starts one for each, in order.
#include "analyze/causes/carriers.h"

#include <gtest/gtest.h>

namespace tailcap::causes {
namespace {

constexpr std::uint32_t kPid = 100;
constexpr std::uint64_t kOwn = 10, kReader = 11;

Time at(std::int64_t us) { return formats::time_from(1'000'000'000 + us * 1000); }

struct Connection {
  Process process;
  Goroutines goroutines;

  model::TextPool texts;

  void push(const formats::Event& event) { goroutines.push(event, texts); }
  Connection() { made(kOwn, kReader, 0); }
  void made(std::uint64_t creator, std::uint64_t child, std::int64_t us) {
    push({at(us), {kPid, kPid}, formats::GoCreate{child}, creator});
  }
  void handler(std::uint64_t child, std::int64_t us, std::uint64_t creator = kOwn) {
    made(creator, child, us);
    push({at(us + 1), {kPid, kPid}, formats::GoHandler{1, "main.work"}, child});
  }
  void request(std::uint32_t stream, std::int64_t from, std::int64_t to) {
    Note n;
    n.id = {7, (stream + 1) / 2};
    n.stream = stream;
    n.reader_goroutine = kReader;
    n.writer_goroutine = 900 + stream;  // it also starts one for each write
    n.began = at(from);
    n.answered = n.ended = at(to);
    process.servers.push_back(n);
    made(kOwn, n.writer_goroutine, to - 1);
  }
  std::vector<std::uint64_t> carriers() {
    process.go = true;
    find_carriers(kPid, process, goroutines);
    std::vector<std::uint64_t> all;
    for (const Note& n : process.servers) {
      all.push_back(n.goroutine);
      EXPECT_EQ(n.goroutine_sure, n.goroutine != 0);
    }
    return all;
  }
};

using Numbers = std::vector<std::uint64_t>;

// pgx has another goroutine write a batch, and reads the answers itself.
TEST(Carriers, WhoReadsTheAnswerMadeTheCallThatItsChildWrites) {
  Connection c;
  c.made(30, 31, 50);
  Note call;
  call.writer_goroutine = 31;
  call.reader_goroutine = 30;
  call.began = call.made = at(60);
  find_caller(call, kPid, c.goroutines);
  EXPECT_EQ(call.goroutine, 30u);
  EXPECT_EQ(call.made, at(50));
  EXPECT_TRUE(call.goroutine_sure);
  Note other = call;
  other.goroutine = 0;
  other.goroutine_sure = false;
  other.reader_goroutine = 32;  // it made no other
  find_caller(other, kPid, c.goroutines);
  EXPECT_EQ(other.goroutine, 0u);
  EXPECT_FALSE(other.goroutine_sure);
  Note copy;  // another one reads the answer while it writes the rows
  copy.writer_goroutine = 30;
  copy.reader_goroutine = 31;
  copy.began = copy.made = at(40);
  find_caller(copy, kPid, c.goroutines);
  EXPECT_EQ(copy.goroutine, 30u);
  EXPECT_EQ(copy.made, at(40));
  copy.began = at(70);  // it read before the call: it may read for others, too
  copy.goroutine = 0;
  find_caller(copy, kPid, c.goroutines);
  EXPECT_EQ(copy.goroutine, 0u);
}

TEST(Carriers, h26_TheHandlersOfAConnectionInTheOrderOfItsStreams) {
  Connection c;  // three in one read, answered in reverse order
  c.request(1, 10, 90);
  c.request(3, 10, 80);
  c.request(5, 10, 70);
  c.handler(20, 20);
  c.handler(21, 30);
  c.handler(22, 40);
  EXPECT_EQ(c.carriers(), (Numbers{20, 21, 22}));
}

TEST(Carriers, ARequestWithoutAHandlerLeavesItsNeighboursUndecided) {
  Connection c;  // one of three was refused without a handler, but it is unknown which
  c.request(1, 10, 90);
  c.request(3, 10, 90);
  c.request(5, 10, 90);
  c.handler(20, 20);
  c.handler(21, 30);
  EXPECT_EQ(c.carriers(), (Numbers{0, 0, 0}));
}

TEST(Carriers, TimesDecideWhereTheOrderAloneDoesNot) {
  Connection c;
  c.request(1, 10, 15);
  c.request(3, 30, 90);
  c.request(5, 50, 90);
  c.handler(21, 32);
  c.handler(22, 52);
  EXPECT_EQ(c.carriers(), (Numbers{0, 21, 22}));
}

TEST(Carriers, HandlersOfTwoMakersAreNotToldApart) {
  Connection c;
  c.request(1, 10, 90);
  c.request(3, 10, 90);
  c.handler(20, 20);
  c.handler(21, 30, kReader);
  EXPECT_EQ(c.carriers(), (Numbers{0, 0}));
}

TEST(Carriers, WhatTheReaderMakesItself) {
  Connection c;  // grpc-go
  c.request(1, 10, 90);
  c.request(3, 40, 80);
  c.handler(20, 20, kReader);
  c.handler(21, 50, kReader);
  EXPECT_EQ(c.carriers(), (Numbers{20, 21}));
}

}  // namespace
}  // namespace tailcap::causes
