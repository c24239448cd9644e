// Calls of databases and caches through the gate.
#include "tests/unit/capture/mask_case.h"

namespace tailcap::capture::mask {
namespace {

const std::string kSet = "*3\r\n$3\r\nSET\r\n$12\r\nuser:17:cart\r\n$6\r\nQQQQQQ\r\n";
const std::string kSetKept = "*3\r\n$3\r\nSET\r\n$12\r\nuser:**:cart\r\n$6\r\n******\r\n";
const std::string kGet = "*2\r\n$3\r\nGET\r\n$12\r\nuser:17:cart\r\n";
const std::string kGetKept = "*2\r\n$3\r\nGET\r\n$12\r\nuser:**:cart\r\n";

// The first message of a connection, a query and their answers.
const std::string kStartup("\0\0\0\x12\0\3\0\0user\0QQQ\0\0", 18);
const std::string kReady("R\0\0\0\x8\0\0\0\0Z\0\0\0\5I", 15);
const std::string kQuery("Q\0\0\0\x26SELECT a FROM t WHERE b = 'QQQ'  \0", 39);

TEST(MaskCall, NamesAndShapesAreKeptAndNoValues) {
  Passage p;
  EXPECT_EQ(p.in(kSet), kSetKept);
  EXPECT_EQ(p.out("+OK\r\n"), "+**\r\n");
  EXPECT_EQ(p.in(kGet), kGetKept);
  EXPECT_EQ(p.out("$6\r\nQQQQQQ\r\n"), "$6\r\n******\r\n");
  EXPECT_EQ(p.out("-ERR QQQQ\r\n"), "-ERR*****\r\n");
  EXPECT_EQ(p.gate.statement(), (formats::Masking{1, 0, 0, 0}));
}

TEST(MaskCall, WhatIsAskedForIsKept) {
  Keep keep;
  keep.keys = true;
  Passage p(keep);
  EXPECT_EQ(p.in(kGet), kGet);
}

TEST(MaskCall, AStatementLosesItsLiterals) {
  for (const bool whole : {false, true}) {
    Keep keep;
    keep.statements = whole;
    Passage p(keep);
    const std::string startup = p.in(kStartup);
    EXPECT_EQ(startup.find("QQQ"), startup.npos);
    EXPECT_EQ(startup.substr(0, 8), kStartup.substr(0, 8));
    EXPECT_EQ(p.out(kReady), std::string("R\0\0\0\x8****Z\0\0\0\5I", 15));
    const std::string query = p.in(kQuery);
    EXPECT_EQ(query.find("QQQ") != query.npos, whole);
    EXPECT_NE(query.find("SELECT a FROM t WHERE b = '"), query.npos);
  }
}

TEST(MaskCall, AValueThatCannotBeSeenIsPassedOver) {
  Passage p;
  const std::string value(5000, 'Q'), set = "*3\r\n$3\r\nSET\r\n$1\r\nn\r\n$5000\r\n" + value + "\r\n";
  const auto left = p.part(Direction::in, set, 256, 16);
  EXPECT_EQ(left.head.find('Q'), left.head.npos);
  EXPECT_EQ(left.tail.substr(14), "\r\n");
  EXPECT_EQ(p.in(kGet), kGetKept);
}

TEST(MaskCall, AnOlderConnectionIsReadBehindARequestAndItsAnswer) {
  Passage p({}, formats::Origin::existed);
  EXPECT_EQ(p.in(kGet), std::string(kGet.size(), '?'));
  EXPECT_EQ(p.out("$6\r\nQQQQQQ\r\n"), "$6\r\n******\r\n");
  EXPECT_EQ(p.in(kSet), kSetKept);
}

TEST(MaskCall, TextThatOnlyLooksLikeARequestIsNotKept) {
  Passage p({}, formats::Origin::existed);
  EXPECT_EQ(p.in(kGet), std::string(kGet.size(), '?'));
  EXPECT_EQ(p.out("QQQQQ"), "?????");
  EXPECT_EQ(p.in(kGet), std::string(kGet.size(), '?'));
}

TEST(MaskCall, WhatIsNoCallFromItsBeginningStaysOut) {
  Passage p;
  EXPECT_EQ(p.in("*1\r\nQQQQ").find("QQ"), std::string::npos);
  EXPECT_EQ(p.in("QQQQ").find("QQ"), std::string::npos);
  EXPECT_EQ(p.in(kGet).find("user"), std::string::npos);
  EXPECT_EQ(p.gate.statement().foreign, 1u);
}

TEST(MaskCall, LostBytesEndIt) {
  Passage p;
  p.in(kGet);
  p.out("$1\r\n1\r\n");
  p.lose(Direction::in, 7);
  EXPECT_EQ(p.in(kGet).find("user"), std::string::npos);
  EXPECT_EQ(p.out("$1\r\nQ\r\n").find("Q"), std::string::npos);
  EXPECT_EQ(p.gate.statement().doubtful, 1u);
  EXPECT_EQ(p.in(kGet), kGetKept);  // a request was found, and this one follows its answer
}

// A literal begins in the bytes that are not visible.
TEST(MaskCall, ALiteralThatWasNotSeenEndsWithItsStatement) {
  Passage p;
  p.in(kStartup);
  p.out(kReady);
  const std::string text = "SELECT '" + std::string(300, 'x') + "' FROM t WHERE b = 'QQQ'" + std::string(1, '\0');
  const std::string query = std::string("Q\0\0", 3) + static_cast<char>((text.size() + 4) / 256) +
                            static_cast<char>((text.size() + 4) % 256) + text;
  const auto left = p.part(Direction::in, query, 100, 16);
  EXPECT_EQ(left.tail.find('Q'), left.tail.npos);
  EXPECT_EQ(p.in(kQuery).find("QQQ"), std::string::npos);
  EXPECT_NE(p.in(kQuery).find("SELECT a FROM t WHERE b = '"), std::string::npos);
}

TEST(MaskCall, ACallBeginsBehindALongPreamble) {
  Passage p;
  std::string bytes("\r\n\r\n\0\r\nQUIT\n\x21\x11\x10\0", 16);
  bytes += std::string(4096, 'Q') + "*1\r\n$4\r\nPING\r\n";
  const auto left = p.part(Direction::in, bytes, 256, 16);
  EXPECT_EQ(left.tail.substr(2), "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(p.out("+PONG\r\n"), "+****\r\n");
  EXPECT_EQ(p.in(kGet), kGetKept);
}

TEST(MaskCall, AScriptWithoutKeysHasNone) {
  Passage p;
  EXPECT_EQ(p.in("*4\r\n$4\r\nEVAL\r\n$1\r\nx\r\n$1\r\n0\r\n$7\r\nuser:QQ\r\n"),
            "*4\r\n$4\r\nEVAL\r\n$1\r\n*\r\n$1\r\n*\r\n$7\r\n*******\r\n");
  EXPECT_EQ(p.in("*4\r\n$4\r\nEVAL\r\n$1\r\nx\r\n$1\r\n1\r\n$7\r\nuser:QQ\r\n"),
            "*4\r\n$4\r\nEVAL\r\n$1\r\n*\r\n$1\r\n1\r\n$7\r\nuser:**\r\n");
}

TEST(MaskCall, AKeyThatIsSeenInPartIsNotKept) {
  Passage p;
  const std::string get = "*2\r\n$3\r\nGET\r\n$300\r\n" + std::string(290, 'x') + "user:order\r\n";
  const auto left = p.part(Direction::in, get, 20, 16);
  EXPECT_EQ(left.tail, "**************\r\n");
}

TEST(MaskCall, BehindALossOnlyTheSameIsFound) {
  Passage p;
  p.in(kGet);
  p.out("$1\r\n1\r\n");
  p.lose(Direction::in, 7);
  EXPECT_EQ(p.in("GET /secret HTTP/1.1\r\nHost: a\r\n\r\n").find("secret"), std::string::npos);
  EXPECT_EQ(p.out("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").find("Length"), std::string::npos);
}

}  // namespace
}  // namespace tailcap::capture::mask
