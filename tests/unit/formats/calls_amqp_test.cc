// AMQP 0-9-1: frames as RabbitMQ 3.10.8 and its clients exchange them, cut, masked and skipped.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "formats/calls/amqp/amqp.h"
#include "tests/unit/formats/amqp_talks.h"

namespace tailcap::formats::calls::amqp {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

const std::string kBegin("AMQP\0\0\x09\x01", 8);
const std::string kStart =
    method(0, 10, 10, bits(0) + bits(9) + long_text("secret") + long_text("PLAIN") + long_text("en_US"));
const std::string kStartOk =
    method(0, 10, 11, long_text("secret") + short_text("PLAIN") + long_text("\0me\0secret"sv) + short_text("en_US"));
const std::string kTune = method(0, 10, 30, number2(2047) + number4(131072) + number2(60));
const std::string kTuneOk = method(0, 10, 31, number2(2047) + number4(131072) + number2(60));
const std::string kOpen = method(0, 10, 40, short_text("v.secret") + short_text("") + bits(0));
const std::string kOpened = method(0, 10, 41, short_text(""));
const std::string kHeartbeat = frame(8, 0, "");

const Talk kSetup = {ask(kBegin), answer(kStart), ask(kStartOk), answer(kTune), ask(kTuneOk + kOpen), answer(kOpened)};
const std::string kSetupRead = "<pushed\n>CONNECT 2\n<2\n>turned pushed\n>CONNECTION OPEN 4\n<4\n";

Talk behind_setup(Talk more) {
  Talk talk = kSetup;
  talk.insert(talk.end(), more.begin(), more.end());
  return talk;
}
void expect(const Talk& more, const std::string& messages) {
  const Talk talk = behind_setup(more);
  const Transcript t = read(talk);
  ASSERT_TRUE(t.messages.starts_with(kSetupRead)) << t.messages;
  EXPECT_EQ(t.messages.substr(kSetupRead.size()), messages);
  EXPECT_EQ(t.kept.find("secret"), std::string::npos);
  same_everywhere(talk);
}

// A channel that is open, with the calls behind the fifth.
Transcript on_channel(bool confirms) {
  Transcript t;
  for (const Io& io : kSetup) EXPECT_TRUE(t.feed(io.side, io.bytes));
  EXPECT_TRUE(t.ask(open(1)) && t.answer(opened(1)));
  EXPECT_TRUE(!confirms || (t.ask(confirm(1)) && t.answer(confirmed(1))));
  t.messages.clear();
  return t;
}

TEST(CallsAmqp, SynchronousMethods) {
  expect(
      {ask(open(1)),
       answer(opened(1)),
       ask(kHeartbeat),
       ask(declare(1, "queue")),
       answer(kHeartbeat + declared(1)),
       ask(declare(1, "queue", 0x10)),
       ask(method(1, 40, 10, number2(0) + short_text("exchange") + short_text("topic") + bits(2) + kNoTable)),
       answer(method(1, 40, 11)),
       ask(method(1, 50, 20,
                  number2(0) + short_text("queue") + short_text("exchange") + short_text("a.*") + bits(0) + kNoTable)),
       answer(method(1, 50, 21)),
       ask(method(1, 60, 10, number4(0) + number2(10) + bits(0))),
       answer(method(1, 60, 11)),
       ask(get(1, "queue")),
       answer(got(1, 1, "secret")),
       ask(ack(1, 1)),
       ask(get(1, "queue")),
       answer(method(1, 60, 72, short_text(""))),
       ask(method(1, 90, 10)),
       answer(method(1, 90, 11)),
       ask(publish(1, "", "queue", "secret")),
       ask(method(1, 90, 20)),
       answer(method(1, 90, 21)),
       answer(method(0, 10, 60, short_text("secret reason"))),
       ask(close(1, 200)),
       answer(method(1, 20, 41)),
       ask(close(0, 200)),
       answer(method(0, 10, 51))},
      ">CHANNEL OPEN 5\n<5\n>QUEUE DECLARE kkkkk 6\n<6\n>QUEUE DECLARE kkkkk 7 unanswered\n"
      ">EXCHANGE DECLARE kkkkkkkk 8\n<8\n>QUEUE BIND kkkkk kkkkkkkk kkk 9\n<9\n>QOS 10\n<10\n>GET kkkkk 11\n<11\n"
      ">turned pushed\n>GET kkkkk 13\n<13\n>TX SELECT 14\n<14\n>PUBLISH kkkkk 15 unanswered\n>TX COMMIT 16\n<16\n"
      "<pushed\n>CHANNEL CLOSE 18\n<18\n>CONNECTION CLOSE 19\n<19\n");
}

TEST(CallsAmqp, PublishesWithConfirms) {
  expect({ask(open(1)), answer(opened(1)), ask(publish(1, "exchange", "key.1", "secret")), ask(confirm(1)),
          answer(confirmed(1)), ask(publish(1, "exchange", "key.1", "")), ask(publish(1, "", "key.1", "secret")),
          ask(publish(1, "", "key.1", "secret") + publish(1, "", "key.1", "secret")), answer(ack(1, 2)),
          answer(ack(1, 3, true)), answer(nack(1, 4)), answer(ack(1, 4)),
          ask(publish(1, "", "k", "secret") + publish(1, "", "k", "secret")), answer(ack(1, 0, true))},
         ">CHANNEL OPEN 5\n<5\n>PUBLISH kkkkkkkk kkkkk 6 unanswered\n>CONFIRM SELECT 7\n<7\n"
         ">PUBLISH kkkkkkkk kkkkk 8\n>PUBLISH kkkkk 9\n>PUBLISH kkkkk 10\n>PUBLISH kkkkk 11\n<9\n<8,10\n<11 !NACK\n"
         "<pushed\n>PUBLISH k 13\n>PUBLISH k 14\n<13,14\n");
}

TEST(CallsAmqp, ReturnsAnswerWhatTheyMustMean) {
  Transcript t = on_channel(true);
  EXPECT_TRUE(t.ask(publish(1, "", "a", "x") + publish(1, "", "b", "x", true) + publish(1, "", "c", "x")));
  EXPECT_TRUE(t.answer(returned(1, "a", "x") + ack(1, 3, true)));
  EXPECT_EQ(t.messages, ">PUBLISH k 7\n>PUBLISH k 8\n>PUBLISH k 9\n<8 !NO_ROUTE\n<7,9\n");
  t.messages.clear();
  const std::string both = publish(1, "", "a", "x", true) + publish(1, "", "b", "x", true);
  EXPECT_TRUE(t.ask(both) && t.answer(returned(1, "a", "x") + returned(1, "a", "x") + ack(1, 5, true)));
  EXPECT_EQ(t.messages, ">PUBLISH k 10\n>PUBLISH k 11\n<pushed\n<10,11 !NO_ROUTE\n<pushed\n");
  t.messages.clear();
  // What the first of them was stays unknown.
  EXPECT_TRUE(t.ask(both) && t.answer(returned(1, "a", "x") + ack(1, 6) + returned(1, "a", "x") + ack(1, 7)));
  EXPECT_TRUE(t.ask(both) && t.answer(ack(1, 9, true)));
  EXPECT_EQ(t.messages,
            ">PUBLISH k 14\n>PUBLISH k 15\n<pushed\n<pushed\n<15 !NO_ROUTE\n<pushed\n"
            ">PUBLISH k 19\n>PUBLISH k 20\n<19,20\n");
  t.messages.clear();
  // Lengths tell them apart.
  EXPECT_TRUE(
      t.ask(publish(1, "", "a", "x", true) + publish(1, "", "bc", "x", true) + publish(1, "", "a", "xy", true)));
  EXPECT_TRUE(t.answer(returned(1, "bc", "x") + returned(1, "a", "xy") + ack(1, 12, true)));
  EXPECT_EQ(t.messages, ">PUBLISH k 21\n>PUBLISH kk 22\n>PUBLISH k 23\n<22 !NO_ROUTE\n<23 !NO_ROUTE\n<21\n");
  Transcript early = on_channel(true);  // the return was recorded before its publish
  EXPECT_TRUE(early.answer(returned(1, "a", "x") + ack(1, 1)) && early.ask(both) && early.answer(ack(1, 2)));
  EXPECT_EQ(early.messages, "<pushed\n<pushed\n>PUBLISH k 9\n>PUBLISH k 10\n<10\n");
  Transcript without = on_channel(false);
  EXPECT_TRUE(without.ask(publish(1, "", "a", "x", true)));
  EXPECT_TRUE(without.answer(returned(1, "a", "x")));
  EXPECT_EQ(without.messages, ">PUBLISH k 6 unanswered\n<pushed\n");
}

TEST(CallsAmqp, DeliveriesAndTheirAcknowledgements) {
  expect({ask(open(1)), answer(opened(1)), ask(consume(1, "queue", false)),
          answer(consumed(1) + deliver(1, 1) + deliver(1, 2, "") + deliver(1, 3)), ask(ack(1, 2)),
          answer(deliver(1, 4) + deliver(1, 5) + deliver(1, 6) + deliver(1, 7)),
          ask(ack(1, 4, true) + nack(1, 6, 3) + reject(1, 7)), ask(ack(1, 7)),
          ask(method(1, 60, 30, short_text("ctag1.secret") + bits(0))),
          answer(method(1, 60, 31, short_text("ctag1.secret"))), ask(consume(1, "queue", true)),
          answer(consumed(1) + deliver(1, 8))},
         ">CHANNEL OPEN 5\n<5\n>CONSUME kkkkk 6\n<6\n<turned DELIVER kkkkkkkk kkkkk 7\n"
         "<turned DELIVER kkkkkkkk kkkkk 8\n<turned DELIVER kkkkkkkk kkkkk 9\n>turned 8\n"
         "<turned DELIVER kkkkkkkk kkkkk 10\n<turned DELIVER kkkkkkkk kkkkk 11\n<turned DELIVER kkkkkkkk kkkkk 12\n"
         "<turned DELIVER kkkkkkkk kkkkk 13\n>turned 7,9,10\n>turned 11,12 !NACK\n>turned 13 !REJECT\n"
         ">turned pushed\n>CANCEL 15\n<15\n>CONSUME kkkkk 16\n<16\n<turned DELIVER kkkkkkkk kkkkk 17 unanswered\n");
}

TEST(CallsAmqp, ChannelsAreApart) {
  expect({ask(open(1) + open(2)), answer(opened(2) + opened(1)),
          ask(consume(1, "a", true) + consume(2, "b", false) + confirm(2)),
          answer(consumed(2) + consumed(1) + confirmed(2) + deliver(1, 1) + deliver(2, 1)),
          ask(publish(1, "", "a", "x") + publish(2, "", "b", "x") + ack(2, 1)), answer(ack(2, 1))},
         ">CHANNEL OPEN 5\n>CHANNEL OPEN 6\n<6\n<5\n>CONSUME k 7\n>CONSUME k 8\n>CONFIRM SELECT 9\n<8\n<7\n<9\n"
         "<turned DELIVER kkkkkkkk kkkkk 10 unanswered\n<turned DELIVER kkkkkkkk kkkkk 11\n>PUBLISH k 12 unanswered\n"
         ">PUBLISH k 13\n>turned 11\n<13\n");
}

// Frames of several channels, mixed: a message ends where another channel's method begins.
TEST(CallsAmqp, InterruptedContents) {
  const std::string a = publish_method(1, "", "a", false), b = publish_method(2, "", "b", false);
  expect({ask(open(1) + open(2)), answer(opened(1) + opened(2)),
          ask(a + content_header(1, 4, "\x80\x01"sv) + frame(3, 1, "se") + b + frame(3, 1, "cr") +
              content_header(2, 2, "\x80\x01"sv) + kHeartbeat + frame(3, 2, "et")),
          ask(ack(1, 1)), ask(a + b + content(2, "secret") + content(1, "secret") + a), ask(content(1, "secret"))},
         ">CHANNEL OPEN 5\n>CHANNEL OPEN 6\n<5\n<6\n>PUBLISH k 7 unanswered\n>PUBLISH k 8 unanswered\n"
         ">turned pushed\n>PUBLISH k 10 unanswered\n>PUBLISH k 11 unanswered\n>PUBLISH k 12 unanswered\n");
}

TEST(CallsAmqp, ErrorsCloseChannels) {
  expect({ask(open(1)), answer(opened(1)), ask(declare(1, "none", 1)), answer(close(1, 404, 50, 10)),
          ask(declare(1, "late")), ask(method(1, 20, 41)), ask(open(1)), answer(opened(1)),
          ask(publish(1, "none", "a", "x")), answer(close(1, 404, 60, 40)), ask(method(1, 20, 41)),
          ask(open(1) + confirm(1)), answer(opened(1) + confirmed(1)), ask(publish(1, "none", "a", "x")),
          answer(close(1, 404, 60, 40)), ask(method(1, 20, 41))},
         ">CHANNEL OPEN 5\n<5\n>QUEUE DECLARE kkkk 6\n<6 !NOT_FOUND\n>QUEUE DECLARE kkkk 7 unanswered\n"
         ">turned pushed\n>CHANNEL OPEN 9\n<9\n>PUBLISH kkkk k 10 unanswered\n<pushed\n>turned pushed\n"
         ">CHANNEL OPEN 13\n>CONFIRM SELECT 14\n<13\n<14\n>PUBLISH kkkk k 15\n<15 !NOT_FOUND\n>turned pushed\n");
  Transcript two = on_channel(true);
  EXPECT_TRUE(two.ask(publish(1, "none", "a", "x") + publish(1, "none", "a", "x")));
  EXPECT_TRUE(two.answer(close(1, 404, 60, 40) + ack(1, 1)));
  EXPECT_EQ(two.messages, ">PUBLISH kkkk k 7\n>PUBLISH kkkk k 8\n<pushed\n<pushed\n");
}

TEST(CallsAmqp, ErrorsCloseConnections) {
  Transcript login;
  EXPECT_TRUE(login.ask(kBegin) && login.answer(kStart) && login.ask(kStartOk) && login.answer(close(0, 403)));
  EXPECT_EQ(login.messages, "<pushed\n>CONNECT 2\n<2 !ACCESS_REFUSED\n");
  Transcript vhost;
  EXPECT_TRUE(vhost.ask(kBegin) && vhost.answer(kStart) && vhost.ask(kStartOk) && vhost.answer(kTune));
  EXPECT_TRUE(vhost.ask(kTuneOk + kOpen) && vhost.answer(close(0, 530, 10, 40)) && vhost.ask(method(0, 10, 51)));
  EXPECT_EQ(vhost.messages, kSetupRead.substr(0, kSetupRead.size() - 3) + "<4 !NOT_ALLOWED\n>turned pushed\n");
  Transcript t = on_channel(false);
  EXPECT_TRUE(t.ask(declare(1, "a")) && t.answer(close(0, 503, 50, 10)));
  EXPECT_EQ(t.messages, ">QUEUE DECLARE k 6\n<6 !COMMAND_INVALID\n");
  Transcript forced = on_channel(false);
  EXPECT_TRUE(forced.ask(declare(1, "a")) && forced.answer(close(0, 320)) && forced.ask(declare(1, "b")));
  EXPECT_EQ(forced.messages, ">QUEUE DECLARE k 6\n<pushed\n>QUEUE DECLARE k 8 unanswered\n");
}

// Another CPU recorded what they answer.
TEST(CallsAmqp, AnswersBeforeTheirCalls) {
  Transcript t = on_channel(true);
  EXPECT_TRUE(t.answer(declared(1)) && t.ask(declare(1, "a")) && t.ask(declare(1, "a")) && t.answer(declared(1)));
  EXPECT_EQ(t.messages, "<7\n>QUEUE DECLARE k 7\n>QUEUE DECLARE k 8\n<8\n");
  t.messages.clear();
  EXPECT_TRUE(t.ask(publish(1, "", "a", "x")) && t.answer(ack(1, 3, true)) && t.ask(publish(1, "", "a", "x")));
  EXPECT_TRUE(t.ask(publish(1, "", "a", "x")) && t.ask(publish(1, "", "a", "x")) && t.answer(ack(1, 4)));
  EXPECT_EQ(t.messages, ">PUBLISH k 9\n<9,10,11\n>PUBLISH k 10\n>PUBLISH k 11\n>PUBLISH k 12\n<12\n");
  t.messages.clear();
  EXPECT_TRUE(t.ask(consume(1, "q", false)) && t.answer(consumed(1)) && t.ask(ack(1, 1)) && t.answer(deliver(1, 1)));
  EXPECT_EQ(t.messages, ">CONSUME k 13\n<13\n>turned 14\n<turned DELIVER kkkkkkkk kkkkk 14\n");
}

TEST(CallsAmqp, ConsumersThatDiffer) {
  Transcript t = on_channel(false);
  EXPECT_TRUE(t.ask(consume(1, "a", false) + consume(1, "b", true)) && t.answer(consumed(1) + consumed(1)));
  t.messages.clear();
  EXPECT_TRUE(t.answer(deliver(1, 1)) && t.ask(ack(1, 1)));
  EXPECT_EQ(t.messages, "<turned DELIVER kkkkkkkk kkkkk 8 unanswered\n>turned pushed\n");
}

TEST(CallsAmqp, InTheMiddleOfAConnection) {
  Transcript t(false);
  EXPECT_TRUE(t.ask(publish(3, "", "a", "x")) && t.answer(ack(3, 70)) && t.ask(publish(3, "", "a", "x")));
  EXPECT_TRUE(t.answer(ack(3, 71)) && t.ask(publish(3, "", "a", "x")) && t.answer(ack(3, 75, true)));
  EXPECT_TRUE(t.ask(publish(3, "", "a", "x")) && t.answer(nack(3, 76)));
  EXPECT_EQ(t.messages,
            ">PUBLISH k 1 unanswered\n<pushed\n>PUBLISH k 3\n<3\n>PUBLISH k 4\n<pushed\n>PUBLISH k 6\n<6 !NACK\n");
  Transcript consumer(false);
  EXPECT_TRUE(consumer.answer(deliver(3, 70)) && consumer.ask(ack(3, 70)) && consumer.answer(deliver(3, 71)));
  EXPECT_TRUE(consumer.ask(reject(3, 71)) && consumer.answer(declared(3)));
  EXPECT_EQ(consumer.messages,
            "<turned DELIVER kkkkkkkk kkkkk 1 unanswered\n>turned pushed\n<turned DELIVER kkkkkkkk kkkkk 3\n"
            ">turned 3 !REJECT\n<pushed\n");
}

TEST(CallsAmqp, SkipsInsideBodies) {
  Transcript t = on_channel(false);
  const std::string long_one = publish(1, "", "a", std::string(100'000, 'x'));
  EXPECT_TRUE(t.ask(long_one.substr(0, 200)));
  EXPECT_TRUE(t.skip(Side::requests, long_one.size() - 201));
  EXPECT_FALSE(t.machine().at_border(Side::requests));
  EXPECT_TRUE(t.ask("\xce"));
  EXPECT_EQ(t.messages, ">PUBLISH k 6 unanswered\n");
  EXPECT_TRUE(t.machine().at_border(Side::requests));
  EXPECT_TRUE(t.ask(declare(1, "queue").substr(0, 15)));
  EXPECT_FALSE(t.skip(Side::requests, 2)) << "inside a key";
  EXPECT_FALSE(t.ask(long_one)) << "lost";
  EXPECT_TRUE(t.answer(opened(2)));
}

// All bodies but the last have one size: what lies between them can be skipped wherever it begins and ends.
TEST(CallsAmqp, SkipsBodiesWithTheirEnds) {
  const std::string message = publish_method(1, "", "a", false) + content(1, std::string(19'000, 'x'), 4088);
  const std::size_t first = publish_method(1, "", "a", false).size() + content(1, "").size() + 7;
  for (std::size_t from = first + 1; from < first + 4088; from += 511)
    for (std::size_t to = from + 1; to <= message.size(); ++to) {
      Transcript t = on_channel(false);
      ASSERT_TRUE(t.ask(message.substr(0, from)));
      ASSERT_TRUE(t.skip(Side::requests, to - from)) << from << " " << to;
      ASSERT_TRUE(t.ask(message.substr(to) + declare(1, "b"))) << from << " " << to;
      ASSERT_EQ(t.messages, ">PUBLISH k 6 unanswered\n>QUEUE DECLARE k 7\n") << from << " " << to;
    }
  Transcript beyond = on_channel(false);
  EXPECT_TRUE(beyond.ask(message.substr(0, first + 1)));
  EXPECT_FALSE(beyond.skip(Side::requests, message.size() - first));
  // Another size than foretold.
  for (const std::size_t size : {4000u, 4089u}) {
    const std::string other = frame(3, 1, std::string(4088, 'x')) + frame(3, 1, std::string(size, 'x'));
    Transcript t = on_channel(false);
    EXPECT_TRUE(t.ask(message.substr(0, first + 1)));
    EXPECT_TRUE(t.skip(Side::requests, 4088 + 3));
    EXPECT_FALSE(t.ask(other.substr(4)));
  }
}

TEST(CallsAmqp, GoesOnBehindAnAcknowledgement) {
  Transcript t = on_channel(false);
  Token ended;
  EXPECT_TRUE(t.ask(consume(1, "queue", false)) && t.answer(consumed(1)));
  EXPECT_FALSE(t.machine().resume(Side::requests, ack(1, 5), ended)) << "nothing is lost";
  EXPECT_FALSE(t.skip(Side::requests, 100));
  EXPECT_FALSE(t.machine().resume(Side::requests, ack(1, 5).substr(1), ended));
  EXPECT_FALSE(t.machine().resume(Side::requests, declare(1, "a"), ended));
  EXPECT_FALSE(t.machine().resume(Side::requests, "", ended));
  EXPECT_TRUE(t.machine().resume(Side::requests, "xyz" + ack(1, 5), ended));
  EXPECT_EQ(ended.size, ack(1, 5).size());
  EXPECT_FALSE(ended.ends);
  t.messages.clear();
  EXPECT_TRUE(t.ask(declare(1, "a")) && t.answer(declared(1)));
  EXPECT_EQ(t.messages, ">QUEUE DECLARE k 7\n<7\n");
}

TEST(CallsAmqp, WhatItDoesNotAllow) {
  for (const std::string& bytes :
       {std::string("HTTP"), std::string("AMQP\0\1\0\0", 8), std::string("AMQP\3\1\0\0", 8), std::string("\1\0\0\0")})
    EXPECT_FALSE(Transcript().ask(bytes));
  const auto refused = [](const std::string& bytes) { return !Transcript(false).ask(bytes); };
  EXPECT_TRUE(refused(frame(4, 0, "")));
  EXPECT_TRUE(refused(frame(8, 1, "")));
  EXPECT_TRUE(refused(frame(8, 0, "x")));
  EXPECT_TRUE(refused(frame(1, 1, "abc")));
  EXPECT_TRUE(refused(method(1, 60, 60, ""))) << "the server's";
  EXPECT_TRUE(refused(method(1, 50, 10, number2(0) + short_text("abc") + bits(0)))) << "too short";
  EXPECT_TRUE(refused(method(1, 50, 10,
                             number2(0) + "\x09"
                                          "abc")))
      << "too short";
  EXPECT_TRUE(refused(ack(1, 1).substr(0, 20) + "x")) << "no end";
  EXPECT_TRUE(refused(publish_method(1, "", "a", false) + content_header(1, 3) + frame(3, 1, "abcd")));
  EXPECT_TRUE(refused(publish_method(1, "", "a", false) + frame(3, 1, "abcd")));
  EXPECT_TRUE(refused(publish_method(1, "", "a", false) + frame(2, 1, number2(50) + std::string(14, 'x'))));
  EXPECT_TRUE(refused("\1\0\1\x7f\0\0\0"s));
  // Unknown methods, and what stands behind the known arguments, are hidden.
  Transcript t = on_channel(false);
  EXPECT_TRUE(t.ask(method(1, 60, 45, "secret") + method(1, 110, 200, "secret") + method(1, 90, 10, "secret")));
  EXPECT_EQ(t.messages, ">turned pushed\n>turned pushed\n>TX SELECT 8\n");
  EXPECT_EQ(t.kept.find("secret"), std::string::npos);
}

TEST(CallsAmqp, NoMoreThanItsLimits) {
  Transcript t;
  EXPECT_TRUE(t.ask(kBegin));
  for (unsigned channel = 1; channel <= 2000; ++channel) ASSERT_TRUE(t.ask(open(channel)) && t.answer(opened(channel)));
  EXPECT_NE(t.messages.find(">CHANNEL OPEN 1024\n<1024\n>CHANNEL OPEN 1025 unanswered\n<pushed\n"), std::string::npos);
  t = on_channel(true);
  std::string publishes;
  for (int i = 0; i < 16'384; ++i) publishes += publish(1, "", "a", "");
  ASSERT_TRUE(t.ask(publishes));
  EXPECT_EQ(t.messages.find("unanswered"), std::string::npos);
  EXPECT_TRUE(t.ask(publish(1, "", "a", "")));
  EXPECT_TRUE(t.messages.ends_with("unanswered\n"));
  t.messages.clear();
  EXPECT_TRUE(t.answer(ack(1, 16'385) + ack(1, 16'383, true) + ack(1, 16'384)));
  EXPECT_TRUE(t.messages.starts_with("<pushed\n<7,8,9,10,"));
  EXPECT_TRUE(t.messages.ends_with(",16388,16389\n<16390\n"));
  t = on_channel(false);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(t.ask(declare(1, "a")));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(t.answer(declared(1)));
  EXPECT_TRUE(t.ask(declare(1, "a")) && t.answer(declared(1)));
  EXPECT_TRUE(t.messages.ends_with("<12\n<13\n<pushed\n<pushed\n>QUEUE DECLARE k 18\n<18\n")) << t.messages;
}

TEST(CallsAmqp, Begins) {
  EXPECT_TRUE(begins(Side::requests, kBegin));
  EXPECT_TRUE(begins(Side::requests, kBegin + kStartOk));
  EXPECT_TRUE(begins(Side::responses, kStart));
  for (const std::string_view bytes :
       {""sv, "AMQP"sv, "AMQP\0\0\x09"sv, "AMQP\0\1\0\0"sv, "AMQP\3\1\0\0"sv, "AMQP\0\0\x09\x02"sv, "GET / HTTP/1.1"sv})
    for (const Side side : {Side::requests, Side::responses}) EXPECT_FALSE(begins(side, bytes));
  EXPECT_FALSE(begins(Side::responses, kBegin));
  EXPECT_FALSE(begins(Side::requests, kStart));
  EXPECT_FALSE(begins(Side::responses, kTune));
}

TEST(CallsAmqp, Proves) {
  const auto proved = [](Side side, const std::string& bytes) { return proves(side, bytes, bytes.size()); };
  for (const std::string& bytes :
       {declare(1, "a"), publish(1, "", "a", "x"), ack(1, 5), nack(1, 5, 3), consume(1, "a", true),
        publish_method(1, "", "a", false), ack(1, 5) + kHeartbeat + ack(1, 6)}) {
    EXPECT_TRUE(proved(Side::requests, bytes));
    EXPECT_FALSE(proved(Side::requests, bytes.substr(1)));
    EXPECT_FALSE(proved(Side::requests, bytes + "x"));
    std::string other = bytes;
    other.back() = 'x';
    EXPECT_FALSE(proved(Side::requests, other));
  }
  for (const std::string& bytes : {declared(1), deliver(1, 1), ack(1, 5), nack(1, 5, 1), got(1, 4, "x"), opened(1)})
    EXPECT_TRUE(proved(Side::responses, bytes));
  EXPECT_FALSE(proved(Side::responses, declare(1, "a")));
  EXPECT_FALSE(proved(Side::requests, deliver(1, 1)));
  EXPECT_FALSE(proved(Side::requests, kHeartbeat));
  EXPECT_FALSE(proved(Side::requests, declare(5000, "a")));
  EXPECT_FALSE(proved(Side::requests, declare(1, "a", 0x80))) << "no such bit";
  EXPECT_FALSE(proved(Side::requests, method(1, 90, 10, "x"))) << "too long";
  EXPECT_FALSE(proved(Side::requests, method(1, 99, 10)));
  EXPECT_FALSE(proved(Side::requests, content(1, "x")));
  EXPECT_FALSE(proved(Side::requests, close(1, 404)) || proved(Side::responses, close(1, 404))) << "it can be either's";
  const std::string long_one = publish(1, "", "a", std::string(9000, 'x'));
  EXPECT_TRUE(proves(Side::requests, long_one.substr(0, 8192), long_one.size()));
  EXPECT_TRUE(proves(Side::requests, long_one.substr(0, 8192), 8192)) << "the body goes on";
  EXPECT_FALSE(proves(Side::requests, long_one.substr(0, 17), 17)) << "the method does not";
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes(1 + random() % 60, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (i % 2 == 0) bytes[0] = 1;
    ASSERT_FALSE(proved(Side::requests, bytes));
    ASSERT_FALSE(proved(Side::responses, bytes));
  }
}

TEST(CallsAmqp, CodesAndFaults) {
  EXPECT_EQ(code(""), "");
  EXPECT_EQ(code("\1"), "");
  EXPECT_EQ(code("\1\x94"), "NOT_FOUND");
  EXPECT_EQ(code("\0\x28\1\x96"sv), "PRECONDITION_FAILED");
  EXPECT_EQ(code("\0\x78"sv), "NACK");
  EXPECT_EQ(code("\0\x5a"sv), "REJECT");
  EXPECT_EQ(code("\3\xe8"), "1000");
  for (const std::string_view server : {"NACK"sv, "REJECT"sv, "CONNECTION_FORCED"sv, "INTERNAL_ERROR"sv, "541"sv})
    EXPECT_EQ(fault(server), Fault::server) << server;
  for (const std::string_view client : {""sv, "NOT_FOUND"sv, "NO_ROUTE"sv, "RESOURCE_ERROR"sv, "404"sv, "1000"sv})
    EXPECT_EQ(fault(client), Fault::client) << client;
}

// Damaged talks: sizes stay within the bytes, and what was masked is read like what was whole.
TEST(CallsAmqp, DamagedBytes) {
  const std::string asks = open(1) + confirm(1) + consume(1, "q", false) + publish(1, "e", "k", "xyz") +
                           publish(2, "e", "k", "xyz", true) + ack(1, 2, true) + get(1, "q") + close(1, 200),
                    answers = opened(1) + confirmed(1) + consumed(1) + deliver(1, 1) + deliver(1, 2) + ack(1, 1) +
                              returned(2, "a", "x") + got(1, 3, "x") + close(0, 320) + method(1, 20, 41);
  std::mt19937 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const auto whole = amqp::machine(false), again = amqp::machine(false);
    for (int j = 0; j < 4; ++j) {
      const Side side = static_cast<Side>(random() % 2);
      std::string bytes = side == Side::requests ? asks : answers;
      if (random() % 2 == 0) bytes[random() % bytes.size()] = static_cast<char>(random());
      if (random() % 8 == 0) bytes.erase(random() % bytes.size());
      std::string_view rest = bytes;
      while (!rest.empty()) {
        if (random() % 64 == 0) {
          const std::uint64_t n = random() % 20;
          ASSERT_EQ(whole->skip(side, n), again->skip(side, n));
          rest.remove_prefix(std::min<std::size_t>(n, rest.size()));
          if (rest.empty()) break;
        }
        const std::string_view piece = rest.substr(0, 1 + random() % 40);
        const Token t = whole->next(side, piece);
        ASSERT_LE(t.size, piece.size());
        std::string hidden(piece);
        if (t.part != Part::framing) hidden.replace(0, t.size, t.size, '*');
        const Token u = again->next(side, hidden);
        ASSERT_EQ(u.size, t.size);
        if (t.size == 0) break;
        ASSERT_EQ(u.part, t.part);
        ASSERT_EQ(u.field, t.field);
        ASSERT_EQ(u.text_ends, t.text_ends);
        ASSERT_EQ(u.begins, t.begins);
        ASSERT_EQ(u.ends, t.ends);
        ASSERT_EQ(u.call, t.call);
        ASSERT_EQ(u.turned, t.turned);
        ASSERT_EQ(u.failed, t.failed);
        ASSERT_EQ(u.unanswered, t.unanswered);
        ASSERT_EQ(u.pushed, t.pushed);
        rest.remove_prefix(t.size);
      }
    }
  }
}

}  // namespace
}  // namespace tailcap::formats::calls::amqp
