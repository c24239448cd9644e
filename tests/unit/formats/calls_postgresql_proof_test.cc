// PostgreSQL's protocol: what begins and proves a connection, and whose fault an error is.
#include <random>

#include "tests/unit/formats/postgresql_messages.h"

namespace tailcap::formats::calls::postgresql_test {
namespace {

TEST(PostgresqlProof, FirstBytes) {
  for (const std::string& bytes : {kStartup, kSslRequest, kGssRequest, "\0\0\0\x10\x04\xd2\x16\x2e"s + "12345678"}) {
    EXPECT_TRUE(postgresql::begins(kAsk, bytes));
    EXPECT_FALSE(postgresql::begins(kAnswer, bytes));
  }
  EXPECT_TRUE(postgresql::begins(kAsk, kStartup.substr(0, 8) + std::string(27, '*') + "\0"s)) << "masked";
  EXPECT_FALSE(postgresql::begins(kAsk, kStartup.substr(0, 7)));
  EXPECT_FALSE(postgresql::begins(kAsk, "\0\0\0\x12\0\3\0\0\0\0\0\1\0\4java\0\0"s)) << "Kafka: Metadata";
  EXPECT_FALSE(postgresql::begins(kAsk, "GET / HTTP/1.1\r\n"));
  EXPECT_FALSE(postgresql::begins(kAsk, "*1\r\n$4\r\nPING\r\n"));
}

TEST(PostgresqlProof, AnIoProvesItself) {
  const auto proves = [](Side side, const std::string& io) { return postgresql::proves(side, io, io.size()); };
  const std::vector<std::string> requests = {query("select 1"),
                                             query(""),
                                             parse("a", "select $1") + describe("a") + kFlush,
                                             parse("", "x") + binding("") + execute() + kSync,
                                             closing("a") + kSync,
                                             kSync,
                                             message('F', "\0\0\6\x3e\0\0\0\0\0\0"s)};
  const std::vector<std::string> responses = {kColumns + kRow + complete("SELECT 1") + ready(), kError + ready('E'),
                                              kParsed + message('t', "\0\1\0\0\0\x19"s) + kColumns,
                                              kBound + message('n') + message('I') + ready(), ready('T')};
  const auto masked = [](Side side, const std::string& io) {
    return Reader().feed(side, io).masked[side == kAsk ? 0 : 1];
  };
  for (const std::string& io : requests) {
    EXPECT_TRUE(proves(kAsk, io)) << io;
    EXPECT_TRUE(proves(kAsk, masked(kAsk, io))) << io;
    EXPECT_FALSE(proves(kAsk, io + "x"));
    EXPECT_FALSE(proves(kAsk, io.substr(0, io.size() - 1)));
    for (std::size_t n = 5; n < io.size(); n++) EXPECT_TRUE(postgresql::proves(kAsk, io.substr(0, n), io.size())) << n;
  }
  for (const std::string& io : responses) {
    EXPECT_TRUE(proves(kAnswer, io)) << io;
    EXPECT_TRUE(proves(kAnswer, masked(kAnswer, io))) << io;
    EXPECT_FALSE(proves(kAnswer, io.substr(0, io.size() - 1)));
    for (std::size_t n = 5; n < io.size(); n++)
      EXPECT_TRUE(postgresql::proves(kAnswer, io.substr(0, n), io.size())) << n;
  }
  EXPECT_TRUE(proves(kAnswer, kColumns + kRow.substr(0, 9))) << "the server's buffer was full";
  EXPECT_FALSE(proves(kAnswer, kColumns.substr(0, 20)));
  EXPECT_FALSE(postgresql::proves(kAsk, query("select 1").substr(0, 9), 9)) << "longer than the I/O";
}

TEST(PostgresqlProof, OtherProtocolsProveNothing) {
  const std::vector<std::string> others = {
      "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
      "PUT / HTTP/1.1\r\n\r\n",
      "DELETE / HTTP/1.1\r\n\r\n",
      "CONNECT a:1 HTTP/1.1\r\n\r\n",
      "PING\r\n",
      "SET a b\r\n",
      "*1\r\n$4\r\nPING\r\n",
      "+OK\r\n",
      "END\r\n",
      "STORED\r\n",
      "ERROR\r\n",
      "\x17\3\3\0\x20"s + std::string(32, 'x'),
      "Q\0\0\0\x03"s + std::string(80, 'a'),                        // MySQL: a query of 80 bytes
      "Q\0\0\0\x16"s + std::string(80, 'a'),                        // a prepare
      "B\0\0\0\x17\1\0\0\0\0\1\0\0\0\0\1"s + std::string(54, 'a'),  // an execute
      "S\0\0\1"s + std::string(0x53, '\3'),
      "E\0\0\1\xff\x7a\4#42S02Table"s,  // its answers
  };
  for (const std::string& io : others)
    for (const Side side : {kAsk, kAnswer}) EXPECT_FALSE(postgresql::proves(side, io, io.size())) << io;
  std::mt19937 random(11);
  for (int round = 0; round < 200'000; round++) {
    std::string io(5 + random() % 40, '\0');
    for (char& c : io) c = static_cast<char>(random());
    io[0] = "QPBCDEFS123InstTNKZ"[random() % 19];
    for (const Side side : {kAsk, kAnswer}) ASSERT_FALSE(postgresql::proves(side, io, io.size()));
  }
}

TEST(PostgresqlProof, WhoseFaultAnErrorIs) {
  for (const char* code : {"23505", "42P01", "22012", "28P01", "3D000", "25P02", "26000", "0A000", "P0001"})
    EXPECT_EQ(postgresql::fault(code), Fault::client) << code;
  for (const char* code :
       {"40001", "40P01", "53300", "55P03", "57014", "57P01", "58030", "XX000", "08006", "ZZ999", "", "42"})
    EXPECT_EQ(postgresql::fault(code), Fault::server) << code;
}

}  // namespace
}  // namespace tailcap::formats::calls::postgresql_test
