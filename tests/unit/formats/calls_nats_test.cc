// NATS: what a server of version 2.9.10 and its clients exchanged, cut, masked and skipped.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "formats/calls/nats/nats.h"
#include "tests/unit/formats/nats_talks.h"

namespace tailcap::formats::calls::nats {
namespace {

using namespace std::string_view_literals;

const std::string kInbox = "_INBOX.gX5cHk2whDHFkWZvBYBnoO";
const Io kInfo = answer("INFO {\"server_id\":\"NDK\",\"version\":\"2.9.10\",\"tls_verify\":true,\"client_id\":5} \r\n");
const Io kConnect = ask("CONNECT {\"verbose\":false,\"user\":\"ann\",\"pass\":\"secret\"}\r\n");

const Talk kRequests = {
    kInfo,
    kConnect,
    ask("PING\r\n"),
    answer("PONG\r\n"),
    ask("SUB " + kInbox + ".*  1\r\n"),
    ask("PUB orders.17 " + kInbox + ".aaaaaaaa 5\r\nhello\r\nPUB orders.18 " + kInbox + ".bbbbbbbb 0\r\n\r\n"),
    ask("PUB metrics.cpu 2\r\n12\r\nHPUB metrics 20 22\r\nNATS/1.0\r\nA: 404\r\n\r\n12\r\nHPUB orders " + kInbox +
        ".cccccccc 12 12\r\nNATS/1.0\r\n\r\n\r\n"),
    answer("MSG " + kInbox + ".bbbbbbbb 1 3\r\none\r\nMSG " + kInbox + ".aaaaaaaa 1 3\r\ntwo\r\n"),
    answer("MSG " + kInbox + ".aaaaaaaa 1 5\r\nagain\r\n"),
    answer("HMSG " + kInbox + ".cccccccc 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"),
    ask("unsub 1 5\r\nUNSUB 1\r\n"),
    answer("PING\r\n"),
    ask("PONG\r\n"),
    answer("-ERR 'Permissions Violation for Publish to \"orders.17\"'\r\n-ERR 'Slow Consumer'\r\n-ERR 'Else'\r\n"),
    answer("INFO {\"connect_urls\":[\"10.0.0.1:4222\"]}\r\n"),
};

TEST(CallsNats, RequestsAndTheirAnswers) {
  const Transcript t = read(kRequests);
  EXPECT_EQ(t.messages,
            "<1 pushed\n>2 CONNECT unanswered\n>3 PING\n<3\n>4 SUBSCRIBE k6 unanswered\n>5 REQUEST k9\n"
            ">6 REQUEST k9\n>7 PUBLISH k11 unanswered\n>8 PUBLISH k7 unanswered\n>9 REQUEST k6\n<6 k6\n<5 k6\n"
            "<10 DELIVER k6 turned unanswered\n<9 k6 !503\n>11 UNSUBSCRIBE unanswered\n>12 UNSUBSCRIBE unanswered\n"
            "<13 pushed\n>14 PONG turned pushed\n<15 !Permissions Violation for Publish to pushed\n"
            "<16 !Slow Consumer pushed\n<17 ! pushed\n<18 pushed\n");
  EXPECT_NE(t.kept.find("PUB orders.** _INBOX.************kWZvBYBnoO.aaaaaaaa 5\r\n*****\r\n"), std::string::npos)
      << t.kept;
  EXPECT_NE(t.kept.find("HMSG _INBOX.************kWZvBYBnoO.cccccccc 1 16 16\r\nNATS/1.0 503****\r\n"),
            std::string::npos)
      << t.kept;
  for (const std::string_view secret : {"hello"sv, "secret"sv, "17"sv, "ann"sv, "NDK"sv, "2.9"sv, "404"sv, "10.0"sv})
    EXPECT_EQ(t.kept.find(secret), std::string::npos) << secret;
  same_everywhere(kRequests);
}

const std::string kAck = "$JS.ACK.EVENTS.4711.1.101.1.1795762183311966037.499";
const std::string kNextAck = "$JS.ACK.EVENTS.4711.1.102.2.1795762183311992617.498";
const Talk kDeliveries = {
    kInfo,
    kConnect,
    ask("SUB orders.* workers 17\r\nSUB events.> 18\r\n"),
    answer("MSG orders.1 17 " + kInbox + ".aaaaaaaa 5\r\nhello\r\nMSG orders.2 17 2\r\nno\r\n"),
    answer("HMSG orders.3 17 _INBOX.abcdef.Ab3dEf 12 14\r\nNATS/1.0\r\n\r\nno\r\n"),
    ask("PUB _INBOX.abcdef.Ab3dEf 2\r\nok\r\nPUB " + kInbox + ".aaaaaaaa 2\r\nok\r\n"),
    ask("PUB " + kInbox + ".aaaaaaaa 2\r\nok\r\n"),
    answer("MSG events.new 18 " + kAck + " 7\r\npayload\r\nMSG events.new 18 " + kNextAck + " 7\r\npayload\r\n"),
    ask("PUB " + kNextAck + " " + kInbox + ".bbbbbbbb 4\r\n+ACK\r\nPUB " + kAck + " 4\r\n-NAK\r\n"),
    answer("MSG " + kInbox + ".bbbbbbbb 19 0\r\n\r\n"),
    answer("MSG orders.4 17 their.replies.1 2\r\nhi\r\n"),
    ask("PUB their.replies.1 2\r\nhi\r\n"),
    answer("HMSG " + kInbox + " 18 25 25\r\nNATS/1.0 100 Idle One\r\n\r\n\r\n"),
};

TEST(CallsNats, DeliveriesAndTheirAnswers) {
  const Transcript t = read(kDeliveries);
  EXPECT_EQ(t.messages,
            "<1 pushed\n>2 CONNECT unanswered\n>3 SUBSCRIBE k8 unanswered\n>4 SUBSCRIBE k8 unanswered\n"
            "<5 DELIVER k8 turned\n<6 DELIVER k8 turned unanswered\n<7 DELIVER k8 turned\n>7 PUBLISH k6 turned\n"
            ">5 PUBLISH k6 turned\n>8 PUBLISH k6 unanswered\n<9 DELIVER k10 stored 1 at 1795762183311966037 turned\n"
            "<10 DELIVER k10 stored 2 at 1795762183311992617 turned\n"
            ">10 PUBLISH k8 turned\n>9 PUBLISH k8 turned\n<11 k6 pushed\n<12 DELIVER k8 turned unanswered\n"
            ">13 PUBLISH k15 unanswered\n<14 k6 pushed\n");
  EXPECT_NE(t.kept.find("MSG events.new 18 $JS.ACK.******.****.1.101.1.1795762183311966037.499 7\r\n"),
            std::string::npos)
      << t.kept;
  EXPECT_NE(t.kept.find("_INBOX.******.Ab3dEf"), std::string::npos);
  EXPECT_NE(t.kept.find("MSG orders.* 17 *************** 2\r\n"), std::string::npos);
  for (const std::string_view secret : {"EVENTS"sv, "4711"sv, "workers"sv, "payload"sv, "replies"sv, "NAK"sv})
    EXPECT_EQ(t.kept.find(secret), std::string::npos) << secret;
  same_everywhere(kDeliveries);
}

const std::string kPlace = " stored 1 at 1795762183311966037";

// A publisher and a consumer hear of the same place.
const Talk kStores = {
    kInfo,
    ask("SUB " + kInbox + ".*  1\r\nPUB events.new " + kInbox + ".aaaaaaaa 3\r\none\r\nPUB events.new " + kInbox +
        ".bbbbbbbb 3\r\ntwo\r\n"),
    answer("MSG " + kInbox + ".aaaaaaaa 1 30\r\n{\"stream\":\"EVENTS\", \"seq\":102}\r\n"),
    answer("MSG " + kInbox + ".bbbbbbbb 1 30\r\n{\"stream\":\"EVENTS\", \"seq\":101}\r\n"),
    answer("MSG events.new 18 " + kAck + " 3\r\ntwo\r\nMSG events.new 18 " + kNextAck + " 3\r\none\r\n"),
    answer("MSG events.new 18 $JS.ACK.EVENT.4711.1.102.2.1795762183311992617.498 3\r\none\r\n"),
};

TEST(CallsNats, PlacesInStreams) {
  const Transcript t = read(kStores);
  EXPECT_EQ(t.messages,
            "<1 pushed\n>2 SUBSCRIBE k6 unanswered\n>3 REQUEST k10\n>4 REQUEST k10\n<3 k6 stored 1\n"
            "<4 k6 stored 2\n<5 DELIVER k10 stored 2 at 1795762183311966037 turned\n"
            "<6 DELIVER k10 stored 1 at 1795762183311992617 turned\n"
            "<7 DELIVER k10 stored 3 at 1795762183311992617 turned\n");
  EXPECT_NE(t.kept.find("{\"stream\":\"******\", \"seq\":102}"), std::string::npos) << t.kept;
  same_everywhere(kStores);
}

// Answers of programs, of a message that was there already, of a domain; acknowledgements of the form with a hash.
TEST(CallsNats, NoPlaceIsToldByOthers) {
  std::string answers, asks;
  int n = 10;
  for (const std::string_view text :
       {R"({"stream":"secret","seq":4711})"sv, R"({"stream":"secret", "seq":"4711"})"sv,
        R"({"stream":"secret", "seq":12 4711})"sv, R"({"stream":"secret", "seq":12,"duplicate": true})"sv,
        R"({"stream":"secret", "domain":"secret", "seq":4711})"sv, R"({"stream":"", "seq":})"sv, R"({"str)"sv}) {
    const std::string inbox = kInbox + ".aaaaaa" + std::to_string(n++);
    asks += "PUB events.new " + inbox + " 0\r\n\r\n";
    answers += "MSG " + inbox + " 1 " + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
  }
  const Talk talk = {
      kInfo,
      ask("SUB " + kInbox + ".*  1\r\n" + asks),
      answer(answers),
      answer("MSG events.new 18 $JS.ACK.secret.Ab3dEf9h.4711.4711.1.101.1.1795762183311966037.499.xyz 1\r\n1\r\n"),
      answer("MSG events.new 18 $JS.ACK.secret.Ab3dEf9h.1.101.1.1795762183311966037.499 1\r\n1\r\n"),
      answer("MSG events.new 18 $JS.ACK.secret.worker.x4711.101.1.1795762183311966037.499 1\r\n1\r\n")};
  const Transcript t = read(talk);
  EXPECT_EQ(t.messages.find("stored"), std::string::npos) << t.messages;
  for (const std::string_view secret : {"secret"sv, "4711"sv})
    EXPECT_EQ(t.kept.find(secret), std::string::npos) << t.kept;
  same_everywhere(talk);
}

const Talk kPulls = {
    kInfo,
    ask("PUB $JS.API.CONSUMER.MSG.NEXT.ORDERS.worker " + kInbox + " 2\r\n{}\r\n"),
    answer("MSG orders.new 2 " + kAck + " 1\r\nx\r\n"),
    ask("PUB $JS.API.CONSUMER.MSG.NEXT.ORDERS.worker " + kInbox + " 2\r\n{}\r\n"),
    answer("HMSG " + kInbox + " 2 32 32\r\nNATS/1.0 408 Request Timeout\r\n\r\n\r\n"),
    ask("PUB $JS.API.STREAM.INFO.ORDERS " + kInbox + ".1 0\r\n\r\n"),
    answer("MSG " + kInbox + ".1 2 2\r\n{}\r\n"),
};

TEST(CallsNats, AsksConsumersForMessages) {
  const Transcript t = read(kPulls);
  EXPECT_EQ(t.messages, "<1 pushed\n>2 REQUEST k39 waits\n<3 DELIVER k10" + kPlace +
                            " turned\n>4 REQUEST k39 waits\n<4 k6\n"
                            ">5 REQUEST k26\n<5 k6\n");
  EXPECT_NE(t.kept.find("PUB $JS.API.CONSUMER.MSG.NEXT.ORDERS.worker _INBOX.****"), std::string::npos) << t.kept;
  same_everywhere(kPulls);
}

TEST(CallsNats, MessagesAnswerTheRequestForThem) {
  const std::string next = "PUB $JS.API.CONSUMER.MSG.NEXT.ORDERS.worker ";
  const std::string message = "MSG orders.new 2 " + kAck + " 1\r\nx\r\n";
  const Talk talk = {
      kInfo,
      ask("SUB " + kInbox + ".* 2\r\n" + next + kInbox + ".1 2\r\n{}\r\n"),
      answer(message + message),  // a batch: the first answers
      ask(next + kInbox + ".2 2\r\n{}\r\n" + next + kInbox + ".3 2\r\n{}\r\n"),
      answer(message),  // it is not known which of the two it answers
      answer("HMSG " + kInbox + ".2 2 28 28\r\nNATS/1.0 404 No Messages\r\n\r\n\r\n"),
      answer(message),
      answer("HMSG " + kInbox + ".3 2 32 32\r\nNATS/1.0 408 Request Timeout\r\n\r\n\r\n"),
  };
  EXPECT_EQ(read(talk).messages,
            "<1 pushed\n>2 SUBSCRIBE k6 unanswered\n>3 REQUEST k39 waits\n<4 DELIVER k10 answers 3" + kPlace +
                " turned\n<5 DELIVER k10" + kPlace +
                " turned\n>6 REQUEST k39 waits\n>7 REQUEST k39 waits\n<8 DELIVER k10" + kPlace +
                " turned\n<6 k6\n<9 DELIVER k10 answers 7" + kPlace + " turned\n<10 k6 !408 pushed\n");
  same_everywhere(talk);
}

// More of them are under way than are followed.
TEST(CallsNats, ManyRequestsForMessages) {
  std::string asks = "SUB " + kInbox + ".* 2\r\n";
  std::string statuses;
  for (int i = 10; i < 27; ++i) {
    const std::string inbox = kInbox + "." + std::to_string(i);
    asks += "PUB $JS.API.CONSUMER.MSG.NEXT.ORDERS.worker " + inbox + " 2\r\n{}\r\n";
    if (i > 10 && i < 26) statuses += "HMSG " + inbox + " 2 16 16\r\nNATS/1.0 404\r\n\r\n\r\n";
  }
  const Talk talk = {kInfo, ask(asks), answer(statuses), answer("MSG orders.new 2 " + kAck + " 1\r\nx\r\n")};
  EXPECT_EQ(read(talk).messages.find("answers"), std::string::npos);
}

// Nothing but a length is known of such a subject.
TEST(CallsNats, ReplySubjectsThatNoLibraryMade) {
  const Talk alone = {
      kInfo,
      ask("SUB answers.1 5\r\nUNSUB 5 1\r\nSUB orders 6\r\nPUB stock answers.1 2\r\nhi\r\n"),
      answer("MSG orders 6 2\r\nhi\r\nMSG answers.1 5 2\r\nhi\r\n"),
      ask("SUB answers.2 7\r\nUNSUB 7 1\r\nPUB nobody answers.2 2\r\nhi\r\n"),
      answer("HMSG answers.2 7 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"),
  };
  EXPECT_EQ(read(alone).messages,
            "<1 pushed\n>2 SUBSCRIBE k9 unanswered\n>3 UNSUBSCRIBE unanswered\n>4 SUBSCRIBE k6 unanswered\n"
            ">5 REQUEST k5\n<6 DELIVER k6 turned unanswered\n<5 k9\n>7 SUBSCRIBE k9 unanswered\n"
            ">8 UNSUBSCRIBE unanswered\n>9 REQUEST k6\n<9 k9 !503\n");
  same_everywhere(alone);
  const Talk doubtful = {
      kInfo,
      ask("SUB answers.1 5\r\nSUB stocks.17 6\r\nPUB stock answers.1 2\r\nhi\r\n"),
      answer("MSG stocks.17 6 2\r\nhi\r\nMSG answers.1 5 2\r\nhi\r\n"),
  };
  EXPECT_TRUE(read(doubtful).messages.ends_with("<5 DELIVER k9 turned unanswered\n<6 DELIVER k9 turned unanswered\n"));
  same_everywhere(doubtful);
  const Talk two = {
      kInfo,
      ask("SUB answers.* 5\r\nPUB stock answers.1 2\r\nhi\r\nPUB stock answers.2 2\r\nhi\r\n"),
      answer("MSG answers.1 5 2\r\nhi\r\nMSG answers.2 5 2\r\nhi\r\n"),
  };
  EXPECT_TRUE(read(two).messages.ends_with("<5 DELIVER k9 turned unanswered\n<6 DELIVER k9 turned unanswered\n"));
}

// Two open requests with one reply subject: nothing says which one an answer belongs to.
TEST(CallsNats, OneReplySubjectOfTwoRequests) {
  const std::string request = "PUB a " + kInbox + " 0\r\n\r\n", reply = "MSG " + kInbox + " 1 0\r\n\r\n";
  const Talk talk = {kInfo, ask(request + request), answer(reply + reply), ask(request), answer(reply)};
  EXPECT_EQ(read(talk).messages,
            "<1 pushed\n>2 REQUEST k1\n>3 REQUEST k1\n<4 k6 pushed\n<5 k6 pushed\n>6 REQUEST k1\n<6 k6\n");
  same_everywhere(talk);
}

const Talk kVerbose = {
    kInfo,
    ask("CONNECT {\"verbose\":true}\r\n"),
    ask("SUB early 1\r\n"),
    answer("+OK\r\n+OK\r\n"),
    ask("SUB hidden 1\r\nPUB a 2\r\nhi\r\nPUB a some.reply 0\r\n\r\nPING\r\nUNSUB 1\r\n"),
    answer("-ERR 'Permissions Violation for Subscription to \"hidden\"'\r\n+OK\r\nMSG a 2 2\r\nhi\r\n+OK\r\nPONG\r\n"
           "+OK\r\n"),
    answer("-ERR 'What Is This'\r\n"),
    ask("PUB a 2\r\nhi\r\n"),
    answer("+OK\r\n"),
};

TEST(CallsNats, ConfirmsOnceItIsKnownThatItDoes) {
  EXPECT_EQ(read(kVerbose).messages,
            "<1 pushed\n>2 CONNECT unanswered\n>3 SUBSCRIBE k5 unanswered\n<4 pushed\n<5 pushed\n"
            ">6 SUBSCRIBE k6\n>7 PUBLISH k1\n>8 REQUEST k1\n>9 PING\n>10 UNSUBSCRIBE\n"
            "<6 !Permissions Violation for Subscription to\n<7\n<11 DELIVER k1 turned unanswered\n<12 pushed\n<9\n"
            "<10\n<13 ! pushed\n>14 PUBLISH k1 unanswered\n<15 pushed\n");
  same_everywhere(kVerbose);
}

TEST(CallsNats, RefusesClients) {
  const Talk talk = {kInfo, kConnect, ask("PING\r\n"), answer("-ERR 'Authorization Violation'\r\n")};
  EXPECT_EQ(read(talk).messages, "<1 pushed\n>2 CONNECT unanswered\n>3 PING\n<3 !Authorization Violation\n");
  same_everywhere(talk);
  Transcript later;
  for (const Io& io : {kInfo, kConnect, ask("PING\r\n"), answer("PONG\r\n"), ask("PING\r\n"),
                       answer("-ERR 'User Authentication Expired'\r\n")})
    EXPECT_TRUE(later.feed(io.side, io.bytes));
  EXPECT_TRUE(later.messages.ends_with("<5 !User Authentication Expired pushed\n"));
}

TEST(CallsNats, TurnsToTls) {
  const std::string_view info =
      "INFO {\"tls_x\":1,\"a\":[\"t\",\"tls_required\"],\"tls_required\":true,\"port\":1}\r\n";
  for (const std::size_t most : {std::size_t{1}, std::size_t{5}, std::string_view::npos}) {
    Transcript t;
    EXPECT_TRUE(t.feed(Side::responses, info.substr(0, info.size() - 1), most));
    EXPECT_FALSE(t.machine().turns_to_tls());
    EXPECT_TRUE(t.feed(Side::responses, "\n"));
    EXPECT_TRUE(t.machine().turns_to_tls());
    Transcript again;
    EXPECT_TRUE(again.feed(Side::responses, t.kept));
    EXPECT_TRUE(again.machine().turns_to_tls());
  }
  Transcript later;
  EXPECT_TRUE(later.feed(Side::requests, kConnect.bytes));
  EXPECT_TRUE(later.feed(Side::responses, info));
  EXPECT_FALSE(later.machine().turns_to_tls()) << "the client speaks already";
  Transcript offered;
  EXPECT_TRUE(offered.feed(Side::responses, "INFO {\"tls_available\":true,\"tls_required\":false}\r\n"));
  EXPECT_FALSE(offered.machine().turns_to_tls());
  EXPECT_FALSE(offered.feed(Side::requests, "\x16\x03\x01\x02"));
}

TEST(CallsNats, SkipsInsideDataOnly) {
  Transcript t;
  EXPECT_TRUE(t.feed(Side::requests, "PUB a " + kInbox + " 1000\r\nabc"));
  EXPECT_TRUE(t.skip(Side::requests, 990));
  EXPECT_TRUE(t.feed(Side::requests, "abcdefg\r\nPUB b 10\r\n"));
  EXPECT_TRUE(t.skip(Side::requests, 12));
  EXPECT_TRUE(t.feed(Side::requests, "PUB c 10\r\n"));
  EXPECT_TRUE(t.skip(Side::requests, 11));
  EXPECT_TRUE(t.feed(Side::requests, "\n"));
  EXPECT_TRUE(t.feed(Side::responses, "HMSG " + kInbox + " 1 16 100\r\nNATS/1.0 5"));
  EXPECT_TRUE(t.skip(Side::responses, 92)) << "the status is not known";
  EXPECT_EQ(t.messages, ">1 REQUEST k1\n>2 PUBLISH k1 unanswered\n>3 PUBLISH k1 unanswered\n<1 k6\n");
  EXPECT_FALSE(t.skip(Side::requests, 1));
  EXPECT_FALSE(t.feed(Side::requests, "PING\r\n")) << "lost";

  for (const std::size_t n : {std::size_t{13}, std::size_t{1} << 40}) {
    Transcript border;
    EXPECT_TRUE(border.feed(Side::requests, "PUB a 10\r\n"));
    EXPECT_FALSE(border.skip(Side::requests, n)) << "it holds more than the end";
  }
  Transcript line;
  EXPECT_TRUE(line.feed(Side::requests, "PUB a"));
  EXPECT_FALSE(line.skip(Side::requests, 1));
}

TEST(CallsNats, InTheMiddleOfAConnection) {
  const Talk talk = {
      ask("PUB a 2\r\nhi\r\nPING\r\n"),
      answer("PONG\r\n"),
      ask("PING\r\n"),
      answer("PONG\r\n+OK\r\n"),
      answer("MSG a 1 2\r\nhi\r\nMSG " + kInbox + ".1 2 0\r\n\r\n"),
  };
  EXPECT_EQ(read(talk, std::string_view::npos, false).messages,
            ">1 PUBLISH k1 unanswered\n>2 PING unanswered\n<3 pushed\n>4 PING\n<4\n<5 pushed\n"
            "<6 DELIVER k1 turned unanswered\n<7 k6 pushed\n");
  same_everywhere(talk, false);
}

TEST(CallsNats, WhatTheProtocolDoesNotAllow) {
  for (const std::string_view line : {"PUB\r\n"sv,
                                      "PUB a\r\n"sv,
                                      "PUB a b\r\n"sv,
                                      "PUB a b c\r\n"sv,
                                      "PUB a b 1 2\r\n"sv,
                                      "PUB a 1234567890\r\n"sv,
                                      "PUB a -1\r\n"sv,
                                      "PUB a 2\r\nhix\r\n"sv,
                                      "PUB a 2\r\nhi\n"sv,
                                      "PUB a\0 2\r\n"sv,
                                      "PUBa 2\r\n"sv,
                                      "HPUB a 5\r\n"sv,
                                      "HPUB a 5 4\r\n"sv,
                                      "HPUB a b c 5\r\n"sv,
                                      "SUB a\r\n"sv,
                                      "SUB a b c d\r\n"sv,
                                      "UNSUB\r\n"sv,
                                      "UNSUB 1 x\r\n"sv,
                                      "UNSUB 1 2 3\r\n"sv,
                                      "PING x\r\n"sv,
                                      "PINGS\r\n"sv,
                                      "PIN\r\n"sv,
                                      "PING\r\r\n"sv,
                                      "CONNECT\r\n"sv,
                                      "CONNECT a:443 HTTP/1.1\r\n"sv,
                                      "CONNECT{}\r\n"sv,
                                      "INFO {}\r\n"sv,
                                      "MSG a 1 0\r\n"sv,
                                      "+OK\r\n"sv,
                                      "RS+ A a\r\n"sv,
                                      "LS+ a\r\n"sv,
                                      "RMSG A a 1\r\n"sv,
                                      "LMSG a 1\r\n"sv,
                                      "\r\n"sv,
                                      " PING\r\n"sv,
                                      "\x16\x03\x01"sv})
    EXPECT_FALSE(Transcript().feed(Side::requests, line)) << line;
  for (const std::string_view line :
       {"MSG a 1\r\n"sv, "MSG a 1 b\r\n"sv, "MSG a 1 b c\r\n"sv, "MSG a 1 b 2 3\r\n"sv, "HMSG a 1 5\r\n"sv, "OK\r\n"sv,
        "+OK x\r\n"sv, "PUB a 0\r\n"sv, "-ERROR\r\n"sv, "INFO x\r\n"sv, "CONNECT {}\r\n"sv, "HTTP/1.1 200 OK\r\n"sv})
    EXPECT_FALSE(Transcript().feed(Side::responses, line)) << line;
  EXPECT_TRUE(Transcript().feed(Side::requests, "pub\ta\tb  2 \r\nhi\r\nPING\nSUB a b x1\r\nUNSUB x1\r\n"));
  EXPECT_FALSE(Transcript().feed(Side::requests, "SUB " + std::string(40'000, 'a')));
  EXPECT_FALSE(Transcript().feed(Side::requests, "PING" + std::string(40'000, ' ')));
  EXPECT_FALSE(Transcript().feed(Side::requests, "CONNECT {" + std::string(1 << 20, 'a')));
}

// More open requests than are remembered: those that are asked last are known.
TEST(CallsNats, ManyOpenCalls) {
  Transcript t;
  std::mt19937_64 random(3);
  std::vector<std::string> inboxes;
  for (int i = 0; i < 20'000; ++i) {
    std::string inbox = kInbox + ".";
    for (int j = 0; j < 8; ++j) inbox += "0123456789abcdefghijABCDEFGHIJ"[random() % 30];
    ASSERT_TRUE(t.feed(Side::requests, "PUB a " + inbox + " 0\r\n\r\n"));
    inboxes.push_back(inbox);
  }
  t.messages.clear();
  for (int i = 0; i < 2'000; ++i)
    ASSERT_TRUE(
        t.feed(Side::responses, "MSG " + inboxes[inboxes.size() - 1 - static_cast<std::size_t>(i)] + " 1 0\r\n\r\n"));
  std::size_t known = 0;
  for (int i = 0; i < 2'000; ++i)
    known += t.messages.find("<" + std::to_string(20'000 - i) + " k6\n") != std::string::npos;
  EXPECT_GT(known, 1950u);

  Transcript pings;
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(pings.feed(Side::requests, "PING\r\n"));
  EXPECT_NE(pings.messages.find(">128 PING\n>129 PING unanswered\n"), std::string::npos);
  pings.messages.clear();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(pings.feed(Side::responses, "PONG\r\n"));
  EXPECT_NE(pings.messages.find("<128\n<201 pushed\n"), std::string::npos);
  EXPECT_TRUE(pings.feed(Side::requests, "PING\r\n"));
  EXPECT_TRUE(pings.feed(Side::responses, "PONG\r\n"));
  EXPECT_TRUE(pings.messages.ends_with(">273 PING\n<273\n"));
}

TEST(CallsNats, Begins) {
  EXPECT_TRUE(begins(Side::responses, kInfo.bytes));
  EXPECT_TRUE(begins(Side::requests, kConnect.bytes));
  EXPECT_TRUE(begins(Side::responses, read({kInfo}).kept));
  EXPECT_TRUE(begins(Side::requests, read({kConnect}).kept));
  for (const std::string_view bytes : {"CONNECT a:443 HTTP/1.1\r\n"sv, "INFO\r\n"sv, "INFO x"sv, "PING\r\n"sv, ""sv,
                                       "CONNECT "sv, "*1\r\n$4\r\nINFO\r\n"sv, "\x16\x03\x01"sv})
    for (const Side side : {Side::requests, Side::responses}) EXPECT_FALSE(begins(side, bytes)) << bytes;
  EXPECT_FALSE(begins(Side::requests, kInfo.bytes));
  EXPECT_FALSE(begins(Side::responses, kConnect.bytes));
}

bool proved(Side side, std::string_view bytes) { return proves(side, bytes, bytes.size()); }

TEST(CallsNats, Proves) {
  for (const std::string_view bytes :
       {"PUB a 2\r\nhi\r\n"sv, "PING\r\nSUB a.* 1\r\n"sv, "PUB a b.c 2\r\n"sv, "PUB a 9\r\nhi"sv, "UNSUB 5 1\r\n"sv,
        "HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\nPING\r\n"sv, "PUB ******** 2\r\n**\r\n"sv})
    EXPECT_TRUE(proved(Side::requests, bytes)) << bytes;
  for (const std::string_view bytes : {"MSG a 1 2\r\nhi\r\n"sv, "+OK\r\n"sv, "PONG\r\n"sv, "-ERR 'Slow Consumer'\r\n"sv,
                                       "HMSG a 1 b 12 12\r\nNATS/1.0\r\n\r\n"sv, "PING\r\n"sv})
    EXPECT_TRUE(proved(Side::responses, bytes)) << bytes;
  EXPECT_TRUE(proves(Side::requests, "PUB a 5000\r\nabc", 5014));
  EXPECT_TRUE(proves(Side::requests, "PUB a 2\r\nhi\r\nPUB", 100));
  EXPECT_FALSE(proves(Side::requests, "PUB a 2\r\nhi\r\nPUB", 15));
  for (const std::string_view bytes :
       {"PING\r\n"sv, "PONG\r\n"sv, "pub a 2\r\nhi\r\n"sv, "PUB a 2\nhi\r\n"sv, "PUB a 2"sv, "CONNECT {}\r\n"sv,
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "*1\r\n$4\r\nPING\r\n"sv, "SUBSCRIBE\nid:0\n\n"sv, "SUB a\r\n"sv,
        "PUBLISH a b\r\n"sv, "MSG a 1 0\r\n\r\n"sv, "PUB a 2\r\nhi\r\nX"sv, "\x16\x03\x01"sv, ""sv})
    EXPECT_FALSE(proved(Side::requests, bytes)) << bytes;
  for (const std::string_view bytes : {"HTTP/1.1 200 OK\r\n\r\n"sv, "+PONG\r\n"sv, "-ERR unknown command\r\n"sv,
                                       "MSG a 1\r\n"sv, "INFO {}\r\n"sv, "MSG a 1 2\nhi\r\n"sv})
    EXPECT_FALSE(proved(Side::responses, bytes)) << bytes;
}

TEST(CallsNats, Faults) {
  for (const std::string_view code : {"503"sv, "500"sv, "Server Shutdown"sv, "maximum connections exceeded"sv})
    EXPECT_EQ(fault(code), Fault::server) << code;
  for (const std::string_view code : {"404"sv, "408"sv, "409"sv, "Authorization Violation"sv, ""sv, "Slow Consumer"sv})
    EXPECT_EQ(fault(code), Fault::client) << code;
}

// Damaged talks: what was masked is read like what was whole.
TEST(CallsNats, DamagedBytes) {
  std::mt19937 random(2);
  const Talk talks[] = {kRequests, kDeliveries, kVerbose};
  for (int i = 0; i < 5'000; ++i) {
    Transcript whole(i % 2 == 0);
    struct Step {
      Side side;
      std::uint64_t skipped;
      std::size_t from, size;
      bool sound;
    };
    std::vector<Step> steps;
    for (const Io& io : talks[i % 3]) {
      std::string bytes = io.bytes;
      if (random() % 8 == 0) bytes[random() % bytes.size()] = static_cast<char>(random());
      if (random() % 16 == 0) bytes.erase(random() % bytes.size());
      std::string_view rest = bytes;
      while (!rest.empty()) {
        const std::string_view piece = rest.substr(0, 1 + random() % 40);
        const std::size_t from = whole.kept.size();
        const bool sound = whole.feed(io.side, piece);
        steps.push_back({io.side, 0, from, whole.kept.size() - from, sound});
        if (!sound) break;
        rest.remove_prefix(piece.size());
        if (random() % 64 > 0 || rest.size() < 4) continue;
        steps.push_back({io.side, 3, 0, 0, whole.skip(io.side, 3)});
        if (!steps.back().sound) break;
        rest.remove_prefix(3);
      }
    }
    Transcript again(i % 2 == 0);
    for (const Step& s : steps) {
      if (s.skipped > 0)
        ASSERT_EQ(again.skip(s.side, s.skipped), s.sound);
      else
        ASSERT_TRUE(again.feed(s.side, std::string_view(whole.kept).substr(s.from, s.size)));
    }
    ASSERT_EQ(again.messages, whole.messages);
  }
}

}  // namespace
}  // namespace tailcap::formats::calls::nats
