// The protocol of MySQL: what begins and proves a connection, and whose fault an error is.
#include <gtest/gtest.h>

#include "tests/unit/formats/mysql_talks.h"

namespace tailcap::formats::calls::mysql_test {
namespace {

TEST(CallsMysqlProof, BeginsAndProves) {
  EXPECT_TRUE(mysql::begins(Side::responses, kClassic[0].bytes));
  EXPECT_FALSE(mysql::begins(Side::requests, kClassic[0].bytes));
  const auto proves = [](Side side, std::string_view bytes) { return mysql::proves(side, bytes, bytes.size()); };
  for (const Talk& talk : {kClassic, kDeprecated})
    for (std::size_t i = 3; i < talk.size(); i++) {
      // A row or the empty end of a cursor proves nothing.
      const bool rows = talk[i].side == Side::responses && talk[i - 1].bytes[4] == '\x1c';
      EXPECT_EQ(proves(talk[i].side, talk[i].bytes), !rows) << i;
    }
  EXPECT_TRUE(proves(Side::requests, packet(0, "\3/* hint */ (SELECT 1)")));
  EXPECT_TRUE(mysql::proves(Side::requests, packet(0, "\3insert into t values").substr(0, 12), 25));
  for (const std::string& other :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"s, "*1\r\n$4\r\nPING\r\n"s, "+OK\r\n"s, "\x16\3\1\0\5\1\0\0\1\0"s,
        "Q\0\0\0\x0dselect 1\0"s, "Z\0\0\0\5I"s, packet(0, "\3selfish 1"), packet(0, "\3"), packet(0, "\xfe"),
        packet(1, "\x0e"), packet(1, "\2"), packet(0, "\x0e") + "x"}) {
    EXPECT_FALSE(proves(Side::requests, other));
    EXPECT_FALSE(proves(Side::responses, other));
    EXPECT_FALSE(mysql::begins(Side::responses, other));
  }
}

TEST(CallsMysqlProof, Faults) {
  for (const std::string_view code : {"1040", "1205", "1213", "1290", "1836", "3024", "2013", "9999", "", "x"})
    EXPECT_EQ(mysql::fault(code), Fault::server) << code;
  for (const std::string_view code : {"1045", "1054", "1062", "1064", "1146", "1451", "3819", "4025"})
    EXPECT_EQ(mysql::fault(code), Fault::client) << code;
}

}  // namespace
}  // namespace tailcap::formats::calls::mysql_test
