// The protocol of MySQL: what is kept, what is a call, and what is no message.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <utility>

#include "tests/unit/formats/mysql_talks.h"

namespace tailcap::formats::calls::mysql_test {
namespace {

using Strings = std::vector<std::string>;

// What a machine says of a talk.
struct Said {
  std::array<std::string, 2> masked;  // statements stay: their literals are not the machine's affair
  std::array<Strings, 2> messages;
  std::array<bool, 2> refused{}, border{};
};

class Reader {
 public:
  explicit Reader(bool from_beginning = true) : machine_(mysql::machine(from_beginning)) {}

  void feed(Side side, std::string_view bytes) {
    const auto s = static_cast<std::size_t>(side);
    while (!bytes.empty() && !said.refused[s]) {
      const Token t = machine_->next(side, bytes);
      ASSERT_LE(t.size, bytes.size());
      said.refused[s] = t.size == 0;
      const std::string_view piece = bytes.substr(0, t.size);
      if (t.begins) {
        EXPECT_FALSE(open_[s]);
        open_[s] = true;
        text_[s].clear();
      }
      if (t.field != Field::none) {
        EXPECT_TRUE(open_[s]);
        text_[s] += t.field == Field::statement ? std::string(piece) : hex(piece);
        if (t.text_ends) text_[s] += ' ';
      }
      said.masked[s] += t.part == Part::value ? std::string(t.size, '*') : std::string(piece);
      bytes.remove_prefix(t.size);
      if (t.ends) {
        EXPECT_TRUE(open_[s]);
        open_[s] = false;
        said.messages[s].push_back(text_[s] + std::string(t.operation) + (t.failed ? "failed" : "") +
                                   (t.pushed ? " pushed" : ""));
      }
    }
    said.border[s] = machine_->at_border(side);
  }
  void feed(const Talk& talk) {
    for (const Io& io : talk) feed(io.side, io.bytes);
  }
  Machine& machine() { return *machine_; }

  Said said;

 private:
  static std::string hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      text += kDigits[static_cast<unsigned char>(c) >> 4];
      text += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return text;
  }

  std::unique_ptr<Machine> machine_;
  std::array<bool, 2> open_{};
  std::array<std::string, 2> text_;
};

Said read(const Talk& talk) {
  Reader reader;
  reader.feed(talk);
  return reader.said;
}

const std::string kOk = packet(1, "\0\0\0\2\0\0\0"s);

// The connection phase of kClassic or kDeprecated.
Talk connected(const Talk& talk) { return {talk.begin(), talk.begin() + 3}; }

void expect_same(const Said& a, const Said& b) {
  EXPECT_EQ(a.masked, b.masked);
  EXPECT_EQ(a.messages, b.messages);
}

TEST(CallsMysql, ClassicResults) {
  const Said said = read(kClassic);
  EXPECT_EQ(said.messages[0], (Strings{"CONNECT", "select 0 a, 's0' b ", "select bad ", "PING", "call t.p(@x) "}));
  EXPECT_EQ(said.messages[1], (Strings{"", "", "1e04 failed", "", ""}));
  EXPECT_TRUE(said.border[0] && said.border[1]);
}

TEST(CallsMysql, ResultsWithoutEof) {
  const Said said = read(kDeprecated);
  EXPECT_EQ(said.messages[0], (Strings{"CONNECT", "select 1, null ", "select 1; do 1; select 2 from c where 0 ",
                                       "select \?, id from c where id<3 PREPARE", "01000000 EXECUTE",
                                       "01000000 EXECUTE", "01000000 EXECUTE", "01000000 FETCH", "01000000 FETCH",
                                       "insert into l(a) values(\?) PREPARE", "kill connection_id() "}));
  EXPECT_EQ(said.messages[1], (Strings{"", "", "", "01000000 ", "", "", "", "", "", "02000000 ", "8707 failed"}));
}

TEST(CallsMysql, CachedMetadata) {
  const Said said = read(kCached);
  EXPECT_EQ(said.messages[0], (Strings{"CONNECT", "select \?, id from c where id<3 PREPARE", "0b000000 EXECUTE",
                                       "0b000000 EXECUTE", "0b000000 EXECUTE"}));
  EXPECT_EQ(said.messages[1], (Strings{"", "0b000000 ", "", "", ""}));
}

TEST(CallsMysql, HidesValues) {
  const Said said = read(kClassic);
  EXPECT_EQ(said.masked[1].find("alice"), std::string::npos);
  EXPECT_EQ(said.masked[1].find("Unknown column"), std::string::npos);
  EXPECT_EQ(said.masked[1].find("s0"), std::string::npos);
  EXPECT_NE(said.masked[1].find("#42S22**"), std::string::npos);
  EXPECT_EQ(said.masked[0].find("u\0\24"s), std::string::npos);  // the user
}

TEST(CallsMysql, CutsAndMasksMakeNoDifference) {
  for (const Talk& talk : {kClassic, kDeprecated, kCached}) {
    const Said whole = read(talk);
    Reader single;
    for (const Io& io : talk)
      for (const char& c : io.bytes) single.feed(io.side, std::string_view(&c, 1));
    expect_same(whole, single.said);
    for (std::size_t i = 0; i < talk.size(); i++) {
      for (std::size_t at = 1; at < talk[i].bytes.size(); at++) {
        Reader cut;
        for (std::size_t k = 0; k < talk.size(); k++) {
          const std::string_view bytes = talk[k].bytes;
          cut.feed(talk[k].side, bytes.substr(0, k == i ? at : bytes.npos));
          if (k == i) cut.feed(talk[k].side, bytes.substr(at));
        }
        expect_same(whole, cut.said);
      }
    }
    Talk masked = talk;
    std::array<std::size_t, 2> at{};
    for (Io& io : masked) {
      const auto s = static_cast<std::size_t>(io.side);
      io.bytes = whole.masked[s].substr(at[s], io.bytes.size());
      at[s] += io.bytes.size();
    }
    expect_same(whole, read(masked));
    for (std::size_t i = 0; i < talk.size(); i++)
      EXPECT_EQ(mysql::proves(talk[i].side, talk[i].bytes, talk[i].bytes.size()),
                mysql::proves(talk[i].side, masked[i].bytes, talk[i].bytes.size()));
  }
}

TEST(CallsMysql, ResponsesMayOvertakeRequests) {
  Talk talk = kClassic;
  std::swap(talk[3], talk[4]);
  expect_same(read(kClassic), read(talk));
}

TEST(CallsMysql, CommandsWithoutAnAnswerAreNoCalls) {
  Talk talk = connected(kClassic);
  talk.push_back({Side::requests, packet(0, "\x18\1\0\0\0\0\0secret"s) + packet(0, "\x19\1\0\0\0"s) +
                                      packet(0, "\x0e") + packet(0, "\1")});
  talk.push_back({Side::responses, kOk});
  const Said said = read(talk);
  EXPECT_EQ(said.messages[0], (Strings{"CONNECT", "PING"}));
  EXPECT_EQ(said.messages[1].size(), 2u);
  EXPECT_EQ(said.masked[0].find("secret"), std::string::npos);
}

TEST(CallsMysql, Pipelined) {
  // As MariaDB's execute_direct sends them: the second refers to the statement of the first.
  Talk talk = connected(kClassic);
  talk.push_back({Side::requests, packet(0,
                                         "\x16"
                                         "do 1") +
                                      packet(0, "\x17\xff\xff\xff\xff\0\1\0\0\0"s)});
  talk.push_back({Side::responses, packet(1, "\0\4\0\0\0\0\0\0\0\0\0\0"s) + kOk});
  const Said said = read(talk);
  EXPECT_EQ(said.messages[0], (Strings{"CONNECT", "do 1 PREPARE", "ffffffff EXECUTE"}));
  EXPECT_EQ(said.messages[1], (Strings{"", "04000000 ", ""}));
}

TEST(CallsMysql, LocalFile) {
  Talk talk = connected(kClassic);
  talk.push_back({Side::requests, packet(0, "\3load data local infile 'f' into table t")});
  talk.push_back({Side::responses, packet(1,
                                          "\xfb"
                                          "f")});
  // The sequence numbers of a file begin anew behind 255: such a packet is no command.
  std::string file = packet(2, "\3select 1");
  for (unsigned i = 3; i < 259; i++) file += packet(static_cast<std::uint8_t>(i), "\3select 1");
  talk.push_back({Side::requests, file + packet(3, "")});
  talk.push_back({Side::responses, packet(4, "\xff\xff\xff\1\1\1\0\0\0\0"s) + packet(5, "\0\0\0\2\0\0\0"s)});
  talk.push_back({Side::requests, packet(0, "\x0e")});
  talk.push_back({Side::responses, kOk});
  const Said said = read(talk);
  EXPECT_EQ(said.messages[0], (Strings{"CONNECT", "load data local infile 'f' into table t ", "PING"}));
  EXPECT_EQ(said.messages[1], (Strings{"", "ffff ", ""}));  // a progress report is no error
  EXPECT_EQ(said.masked[0].find("select"), std::string::npos);
}

TEST(CallsMysql, AuthSwitchAndChangeUser) {
  Talk talk = connected(kClassic);
  talk.resize(2);
  talk.push_back({Side::responses, packet(2,
                                          "\xfe"
                                          "client_ed25519\0nonce"s)});
  talk.push_back({Side::requests, packet(3, "signature")});
  talk.push_back({Side::responses, packet(4, "\1\3"s) + packet(5, "\0\0\0\2\0\0\0"s)});
  talk.push_back({Side::requests, packet(0, "\x11user\0\0db\0"s)});
  talk.push_back({Side::responses, packet(1, "\xfemysql_native_password\0nonce"s)});
  talk.push_back({Side::requests, packet(2, "")});
  talk.push_back({Side::responses, packet(3, "\xff\x15\4#28000Access denied for user")});
  const Said said = read(talk);
  EXPECT_EQ(said.messages[0], (Strings{"CONNECT", "CHANGE USER"}));
  EXPECT_EQ(said.messages[1], (Strings{"", "1504 failed"}));
  EXPECT_EQ(said.masked[0].find("signature"), std::string::npos);
  EXPECT_EQ(said.masked[0].find("user"), std::string::npos);
}

TEST(CallsMysql, QueryAttributes) {
  // MySQL 8: a count of attributes and one set of them before the text.
  Talk talk = connected(kClassic);
  const std::size_t high = 4 + 3;
  talk[1].bytes[high] = static_cast<char>(talk[1].bytes[high] | 0x08);
  const std::size_t server = talk[0].bytes.find("\377\201\25") + 1;  // the greeting's capabilities
  talk[0].bytes[server] = static_cast<char>(talk[0].bytes[server] | 0x08);
  talk.push_back({Side::requests, packet(0, "\3\0\1select 1"s)});
  talk.push_back({Side::requests, packet(0, "\3\1\1\0\1\x0f\0\1nselect"s)});
  Said said = read(talk);
  EXPECT_EQ(said.messages[0], (Strings{"CONNECT", "select 1 ", ""}));
  EXPECT_EQ(said.masked[0].find("nselect"), std::string::npos);
  Reader late(false);
  late.feed(Side::requests, packet(0, "\3\0\1select 1"s));
  late.feed(Side::requests, packet(0, "\3\x21\1secret"s));
  late.feed(Side::requests, packet(0, "\3select 2"s));
  EXPECT_EQ(late.said.messages[0], (Strings{"select 1 ", "!", "select 2 "}));
  EXPECT_EQ(late.said.masked[0].find("secret"), std::string::npos);
}

TEST(CallsMysql, Tls) {
  Reader reader;
  reader.feed(Side::responses, kClassic[0].bytes);
  EXPECT_FALSE(reader.machine().turns_to_tls());
  reader.feed(Side::requests, " \0\0\1\204\252\277\0\0\0\20\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\35\0\0\0"s);
  EXPECT_TRUE(reader.machine().turns_to_tls());
  EXPECT_TRUE(reader.said.messages[0].empty());
  // What TLS carries begins with the client.
  std::string hello = kClassic[1].bytes, answer = kClassic[2].bytes;
  hello[3] = 2;
  hello[5] = static_cast<char>(hello[5] | 0x08);
  answer[3] = 3;
  EXPECT_TRUE(mysql::begins(Side::requests, hello));
  EXPECT_FALSE(mysql::begins(Side::requests, kClassic[1].bytes));
  const Said said = read({{Side::requests, hello}, {Side::responses, answer}});
  EXPECT_EQ(said.messages[0], Strings{"CONNECT"});
  EXPECT_EQ(said.messages[1], Strings{""});
}

TEST(CallsMysql, PushedErrors) {
  const Said full = read({{Side::responses, "\x17\0\0\0\xff\x10\4Too many connections"s}});
  EXPECT_EQ(full.messages[1], Strings{"1004 failed pushed"});
  EXPECT_EQ(full.masked[1].find("Too"), std::string::npos);
  Talk talk = connected(kClassic);
  talk.push_back({Side::responses, packet(0, "\xff\xbf\x0f#HY000The client was disconnected")});
  EXPECT_EQ(read(talk).messages[1], (Strings{"", "bf0f failed pushed"}));
}

TEST(CallsMysql, CompressedConnectionsAreNotRead) {
  Talk talk = connected(kClassic);
  talk[1].bytes[4] = static_cast<char>(talk[1].bytes[4] | 0x20);
  talk.push_back({Side::requests, "\5\0\0\0\0\0\0\1\0\0\0\x0e"s});
  const Said said = read(talk);
  EXPECT_TRUE(said.refused[0]);
  EXPECT_EQ(said.messages[0], Strings{"CONNECT"});
}

TEST(CallsMysql, PacketsOf16MiBContinue) {
  Reader reader(false);
  reader.feed(Side::requests, "\xff\xff\xff\0\3select "s);
  EXPECT_TRUE(reader.machine().skip(Side::requests, 0xffffff - 8));
  reader.feed(Side::requests, packet(1, ""));  // and it was exactly as long
  EXPECT_EQ(reader.said.messages[0], Strings{"select "});
  reader.feed(Side::responses, packet(2, "\0\0\0\2\0\0\0"s));
  EXPECT_EQ(reader.said.messages[1], Strings{""});
}

TEST(CallsMysql, SkipsInsideBodies) {
  Reader reader(false);
  const std::string query = packet(0, "\3select " + std::string(1000, ' ') + "1");
  reader.feed(Side::requests, query.substr(0, 100));
  EXPECT_TRUE(reader.machine().skip(Side::requests, query.size() - 116));
  reader.feed(Side::requests, query.substr(query.size() - 16));
  EXPECT_EQ(reader.said.messages[0].size(), 1u);
  reader.feed(Side::requests, query.substr(0, 100));
  EXPECT_FALSE(reader.machine().skip(Side::requests, query.size() - 100));  // the message ends there
  EXPECT_FALSE(reader.machine().at_border(Side::requests));
}

TEST(CallsMysql, ResumesBehindTheLastPacketOfAResult) {
  for (const Talk& talk : {kClassic, kDeprecated}) {
    Reader reader;
    for (std::size_t i = 0; i < 4; i++) reader.feed(talk[i].side, talk[i].bytes);
    const std::string& result = talk[4].bytes;
    const std::string tail = result.substr(result.size() - 16);
    reader.feed(Side::responses, result.substr(0, 40));
    EXPECT_FALSE(reader.machine().skip(Side::responses, result.size() - 56));
    Token ended;
    EXPECT_FALSE(reader.machine().resume(Side::responses, tail.substr(0, 15), ended));
    EXPECT_FALSE(reader.machine().resume(Side::requests, tail, ended));
    std::string more = tail;
    more[9 + 5] = '\x0a';  // the status flags of one form and of the other
    more[5 + 7] = '\x0a';
    EXPECT_FALSE(reader.machine().resume(Side::responses, more, ended));
    ASSERT_TRUE(reader.machine().resume(Side::responses, tail, ended));
    EXPECT_TRUE(ended.ends && !ended.failed && !ended.begins);
    EXPECT_TRUE(reader.machine().at_border(Side::responses));
    reader.said.messages = {};
  }
}

TEST(CallsMysql, LearnsInTheMiddle) {
  const std::string& result = kDeprecated[4].bytes;
  const std::string prepare = packet(0, "\x16select 1"),
                    prepared = packet(1, "\0\1\0\0\0\1\0\0\0\0\0\0"s) + result.substr(5, 27);
  Reader late(false);
  late.feed(Side::requests, prepare);
  late.feed(Side::responses, prepared);
  EXPECT_TRUE(late.said.refused[1]);  // nothing says whether an EOF packet follows
  Reader wiser(false);
  wiser.feed(Side::requests, kDeprecated[3].bytes);
  wiser.feed(Side::responses, result);
  wiser.feed(Side::requests, prepare);
  wiser.feed(Side::responses, prepared);
  EXPECT_EQ(wiser.said.messages[1], (Strings{"", "01000000 "}));
}

TEST(CallsMysql, RandomBytes) {
  std::mt19937 random(7);
  unsigned proofs = 0;
  for (int round = 0; round < 20000; round++) {
    Reader reader(round % 2 == 0);
    if (round % 4 == 0) reader.feed(connected(kDeprecated));
    for (int i = 0; i < 8; i++) {
      const auto side = static_cast<Side>(random() % 2);
      std::string bytes;
      if (random() % 3 == 0) {
        for (auto n = random() % 40 + 1; n > 0; n--) bytes += static_cast<char>(random());
        proofs += mysql::proves(side, bytes, bytes.size());
      } else {
        bytes = kDeprecated[random() % kDeprecated.size()].bytes;
        bytes[random() % bytes.size()] = static_cast<char>(random());
      }
      if (random() % 4 == 0) reader.machine().skip(side, random() % 30);
      // Tokens may begin and end messages in any order here, so they are not read.
      for (std::string_view rest = bytes; !rest.empty();) {
        const Token t = reader.machine().next(side, rest);
        ASSERT_LE(t.size, rest.size());
        if (t.size == 0) break;
        rest.remove_prefix(t.size);
      }
      Token ended;
      reader.machine().resume(side, bytes.substr(bytes.size() - std::min<std::size_t>(bytes.size(), 16)), ended);
    }
  }
  EXPECT_EQ(proofs, 0u);
}

}  // namespace
}  // namespace tailcap::formats::calls::mysql_test
