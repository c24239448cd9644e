// memcached: what a server of version 1.6.18 and its clients exchanged, cut, masked and skipped.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "formats/calls/memcached/memcached.h"

namespace tailcap::formats::calls::memcached {
namespace {

using namespace std::string_view_literals;

struct Io {
  Side side;
  std::string bytes;
};
using Talk = std::vector<Io>;

Io ask(std::string_view bytes) { return {Side::requests, std::string(bytes)}; }
Io answer(std::string_view bytes) { return {Side::responses, std::string(bytes)}; }

// What the machine says of a connection: a line for each message, and the bytes as a capture keeps them.
class Transcript {
 public:
  explicit Transcript(bool from_beginning = true) : machine_(memcached::machine(from_beginning)) {}

  // False: size 0.
  bool feed(Side side, std::string_view bytes, std::size_t most = std::string_view::npos) {
    while (!bytes.empty()) {
      std::string_view piece = bytes.substr(0, most);
      bytes.remove_prefix(piece.size());
      while (!piece.empty()) {
        const Token t = machine_->next(side, piece);
        if (t.size == 0) return false;
        EXPECT_LE(t.size, piece.size());
        add(side, t, piece.substr(0, t.size));
        piece.remove_prefix(t.size);
      }
    }
    return true;
  }
  bool skip(Side side, std::uint64_t n) { return machine_->skip(side, n); }
  Machine& machine() { return *machine_; }

  std::string messages, kept;

 private:
  struct Open {
    std::string operation, key, code;
    bool begun = false;
  };

  void add(Side side, const Token& t, std::string_view bytes) {
    Open& open = open_[static_cast<std::size_t>(side)];
    EXPECT_FALSE(t.begins && open.begun);
    open.begun = open.begun || t.begins;
    EXPECT_TRUE(open.begun);
    if (t.field == Field::operation) open.operation += bytes;
    if (t.field == Field::key) open.key.append(bytes.size(), 'k');
    if (t.field == Field::error_code) open.code += bytes;
    const char hidden = t.part == Part::key ? '?' : '*';
    kept += t.part == Part::framing ? std::string(bytes) : std::string(bytes.size(), hidden);
    if (!t.ends) return;
    open.operation += t.operation;
    messages += side == Side::requests ? ">" : "<";
    for (const std::string& text : {open.operation, open.key, t.failed ? "!" + open.code : std::string()})
      if (!text.empty()) messages += " " + text;
    if (t.unanswered) messages += " unanswered";
    if (t.pushed) messages += " pushed";
    messages += "\n";
    open = {};
  }

  std::unique_ptr<Machine> machine_;
  Open open_[2];
};

Transcript read(const Talk& talk, std::size_t most = std::string_view::npos) {
  Transcript t;
  for (const Io& io : talk) EXPECT_TRUE(t.feed(io.side, io.bytes, most)) << io.bytes;
  return t;
}

Talk masked(const Talk& talk, const std::string& kept) {
  Talk result;
  std::size_t at = 0;
  for (const Io& io : talk) {
    result.push_back({io.side, kept.substr(at, io.bytes.size())});
    at += io.bytes.size();
  }
  return result;
}

// Cut at every place and into single bytes, and of what is kept of it, a talk has the same messages.
void same_everywhere(const Talk& talk) {
  const Transcript whole = read(talk);
  for (const std::size_t most : {1u, 2u, 3u, 7u}) {
    const Transcript cut = read(talk, most);
    ASSERT_EQ(cut.messages, whole.messages) << most;
    ASSERT_EQ(cut.kept, whole.kept) << most;
  }
  const Talk hidden = masked(talk, whole.kept);
  for (const std::size_t most : {std::string_view::npos, std::size_t{1}}) {
    const Transcript again = read(hidden, most);
    ASSERT_EQ(again.kept, whole.kept);
    if (most == 1) continue;
    ASSERT_EQ(again.messages, whole.messages);
  }
  for (std::size_t i = 0; i < talk.size(); ++i) {
    for (std::size_t at = 1; at < talk[i].bytes.size(); ++at) {
      Transcript cut;
      for (std::size_t j = 0; j < talk.size(); ++j) {
        const std::string_view bytes = talk[j].bytes;
        ASSERT_TRUE(cut.feed(talk[j].side, bytes.substr(0, j == i ? at : bytes.size())));
        ASSERT_TRUE(j != i || cut.feed(talk[j].side, bytes.substr(at)));
      }
      ASSERT_EQ(cut.messages, whole.messages) << i << " " << at;
      ASSERT_EQ(cut.kept, whole.kept) << i << " " << at;
    }
  }
}

const Talk kText = {
    ask("set user:1 0 0 5\r\nhello\r\n"),
    answer("STORED\r\n"),
    ask("get user:1 b c \r\n"),
    answer("VALUE user:1 0 5\r\nhello\r\nVALUE b 16 1\r\n1\r\nEND\r\n"),
    ask("gets user:1\r\n"),
    answer("VALUE user:1 0 5 7493\r\nhello\r\nEND\r\n"),
    ask("cas user:1 0 -1 3 7493 noreply\r\nnew\r\nget none\r\n"),
    answer("END\r\n"),
    ask("gat 100 user:1 b\r\n"),
    answer("VALUE b 0 8\r\n\r\nEND\r\n\r\r\nEND\r\n"),
    ask("append a 0 0 0\r\n\r\n"),
    answer("NOT_STORED\r\n"),
    ask("incr n 5\r\ndecr none 1\r\nincr user:1 1\r\n"),
    answer("42\r\nNOT_FOUND\r\nCLIENT_ERROR cannot increment or decrement non-numeric value\r\n"),
    ask("touch user:1 0\r\ndelete user:1 0\r\ndelete user:1 noreply\r\n"),
    answer("TOUCHED\r\nDELETED\r\n"),
    ask("set big 0 0 9\r\n123456789\r\n"),
    answer("SERVER_ERROR object too large for cache\r\n"),
    ask("stats items\n"),
    answer("STAT items:1:number 1\r\nSTAT items:1:age 0\r\nEND\r\n"),
    ask("stats reset\r\n"),
    answer("RESET\r\n"),
    ask("version\r\nverbosity 1\r\nflush_all 10\r\nflush_all noreply\r\n"),
    answer("VERSION 1.6.18\r\nOK\r\nOK\r\n"),
    ask("shutdown\r\n"),
    answer("ERROR: shutdown not enabled\r\n"),
    ask("quit\r\n"),
};

TEST(CallsMemcached, TextCommandsAndTheirAnswers) {
  const Transcript t = read(kText);
  EXPECT_EQ(t.messages,
            "> set kkkkkk\n<\n> get kkkkkk\n<\n> gets kkkkkk\n<\n> cas kkkkkk unanswered\n> get kkkk\n<\n"
            "> gat kkkkkk\n<\n> append k\n<\n> incr k\n> decr kkkk\n> incr kkkkkk\n<\n<\n< !CLIENT_ERROR\n"
            "> touch kkkkkk\n> delete kkkkkk\n> delete kkkkkk unanswered\n<\n<\n> set kkk\n< !SERVER_ERROR\n"
            "> stats\n<\n> stats\n<\n> version\n> verbosity\n> flush_all\n> flush_all unanswered\n<\n<\n<\n"
            "> shutdown unanswered\n< !ERROR pushed\n> quit unanswered\n");
  EXPECT_TRUE(
      t.kept.starts_with("set ?????? 0 0 5\r\n*****\r\nSTORED\r\nget ?????? * * \r\n"
                         "VALUE ****** 0 5\r\n*****\r\nVALUE * 16 1\r\n*\r\nEND\r\n"))
      << t.kept;
  for (const std::string_view secret : {"hello"sv, "user"sv, "7493"sv, "42"sv, "1.6"sv, "items"sv, "increment"sv})
    EXPECT_EQ(t.kept.find(secret), std::string::npos) << secret;
  same_everywhere(kText);
}

const Talk kMeta = {
    ask("ms foo 5 T30 F9\r\nhello\r\n"),
    answer("HD\r\n"),
    ask("mg foo v t f k Oabc\r\n"),
    answer("VA 5 t30 f9 kfoo Oabc\r\nhello\r\n"),
    ask("mg none v\r\n"),
    answer("EN\r\n"),
    ask("mg none v q\r\nmg foo v q k O12\r\nmn\r\n"),
    answer("VA 5 kfoo O12\r\nhello\r\nMN\r\n"),
    ask("ms foo 2 q\r\nab\r\nms foo 2 ME q\r\nab\r\nmg foo s v q\r\nmn\r\n"),
    answer("NS\r\nVA 2 s2\r\nab\r\nMN\r\n"),
    ask("ma cnt N0 J5 v t\r\nmd foo\r\nme none\r\nma no q\r\nmn\r\n"),
    answer("VA 1 t-1\r\n5\r\nNF\r\nEN\r\nNF\r\nMN\r\n"),
    ask("me cnt\r\n"),
    answer("ME cnt exp=0 la=0 cas=12 fetch=yes cls=1 size=64\r\n"),
};

TEST(CallsMemcached, MetaCommands) {
  const Transcript t = read(kMeta);
  EXPECT_EQ(t.messages,
            "> ms kkk\n<\n> mg kkk\n<\n> mg kkkk\n<\n> mg kkkk unanswered\n> mg kkk unanswered\n> mn\n< pushed\n<\n"
            "> ms kkk unanswered\n> ms kkk unanswered\n> mg kkk unanswered\n> mn\n< pushed\n< pushed\n<\n"
            "> ma kkk\n> md kkk\n> me kkkk\n> ma kk unanswered\n> mn\n<\n<\n<\n< pushed\n<\n> me kkk\n<\n");
  EXPECT_TRUE(
      t.kept.starts_with("ms ??? 5 T** F*\r\n*****\r\nHD\r\nmg ??? v t f k O***\r\n"
                         "VA 5 t** f* k*** O***\r\n*****\r\n"))
      << t.kept;
  same_everywhere(kMeta);
}

// Both could have been answered so: nothing says which.
TEST(CallsMemcached, QuietCommandsThatCannotBeToldApart) {
  Transcript t;
  EXPECT_TRUE(t.feed(Side::requests, "mg a v q\r\nmg b v\r\n"));
  EXPECT_FALSE(t.feed(Side::responses, "VA 1\r\nx\r\n"));
  EXPECT_FALSE(t.feed(Side::responses, "EN\r\n"));
}

std::string packet(unsigned magic, unsigned operation, std::string_view extras, std::string_view key,
                   std::string_view value, unsigned status = 0) {
  const std::size_t body = extras.size() + key.size() + value.size();
  std::string p(24, '\0');
  const auto put = [&](std::size_t at, std::size_t number) { p[at] = static_cast<char>(number & 0xff); };
  put(0, magic);
  put(1, operation);
  put(2, key.size() >> 8);
  put(3, key.size());
  put(4, extras.size());
  put(6, status >> 8);
  put(7, status);
  put(9, body >> 16);
  put(10, body >> 8);
  put(11, body);
  put(15, 7);
  return p.append(extras).append(key).append(value);
}
Io ask(unsigned operation, std::string_view extras = "", std::string_view key = "", std::string_view value = "") {
  return ask(packet(0x80, operation, extras, key, value));
}
Io answer(unsigned operation, unsigned status = 0, std::string_view value = "", std::string_view extras = "",
          std::string_view key = "") {
  return answer(packet(0x81, operation, extras, key, value, status));
}

constexpr std::string_view kEight = "\0\0\0\x10\0\0\0\0"sv, kFour = "\0\0\0\x10"sv;
// libmemcached 1.1.4 and a server.
const Talk kBinary = {
    ask("\x80\x01\x00\x05\x08\x00\x00\x00\x00\x00\x00\x0d\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x10\x00\x00\x00\x00obj:0"sv),
    answer("\x81\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x1d"
           "C"sv),
    ask("\x80\x0c\x00\x05\x00\x00\x00\x00\x00\x00\x00\x05\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00obj:0"sv),
    answer("\x81\x0c\x00\x05\x04\x00\x00\x00\x00\x00\x00\x09\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x1d"
           "C\x00\x00\x00\x10obj:0"sv),
    ask("\x80\x02\x00\x05\x08\x00\x00\x00\x00\x00\x00\x0e\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x10\x00\x00\x00\x00obj:01"sv),
    answer("\x81\x02\x00\x00\x00\x00\x00\x02\x00\x00\x00\x14\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
           "Data exists for key."sv),
    ask(0x0d, "", "a"),
    ask(0x0d, "", "b"),
    ask(0x0a),
    answer(0x0d, 0, "value", kFour, "b"),
    answer(0x0a),
    ask(0x11, kEight, "k", "value"),
    ask(0x00, "", "none"),
    answer(0x11, 3, "Too large."),
    answer(0x00, 1, "Not found"),
    ask(0x10, "", "items"),
    answer(0x10, 0, "12", "", "pid"),
    answer(0x10, 0, "34", "", "uptime"),
    answer(0x10),
    ask(0x21, "", "PLAIN", "\0user\0password"sv),
    answer(0x21, 0x20, "Auth failure."),
    ask(0x05, "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0"sv, "n"),
    answer(0x05, 0x82, "Out of memory"),
    ask(0x08),
    answer(0x08),
    ask(0x17),
};

TEST(CallsMemcached, BinaryOperations) {
  const Transcript t = read(kBinary);
  EXPECT_EQ(t.messages,
            "> SET kkkkk\n<\n> GETK kkkkk\n<\n> ADD kkkkk\n<\n> GETKQ k unanswered\n> GETKQ k unanswered\n> NOOP\n"
            "< pushed\n<\n> SETQ k unanswered\n> GET kkkk\n" +
                std::string("< !\0\3 pushed\n<\n", 15) + "> STAT\n<\n> SASL_AUTH\n" + std::string("< !\0 \n", 6) +
                "> INCREMENT k\n" + std::string("< !\0\x82\n", 6) + "> FLUSH\n<\n> QUITQ unanswered\n");
  for (const std::string_view secret : {"obj"sv, "value"sv, "Data"sv, "pid"sv, "user"sv, "PLAIN"sv})
    EXPECT_EQ(t.kept.find(secret), std::string::npos) << secret;
  same_everywhere(kBinary);
}

TEST(CallsMemcached, ManyKeysInOneLine) {
  std::string get = "get key0";
  for (int i = 1; i < 5000; ++i) get += " key" + std::to_string(i);
  const Transcript t = read({ask(get + "\r\n"), answer("END\r\n")});
  EXPECT_EQ(t.messages, "> get kkkk\n<\n");
  EXPECT_EQ(t.kept.find("key"), std::string::npos);
  Transcript other;
  EXPECT_FALSE(other.feed(Side::requests, "stats " + get + "\r\n"));
  EXPECT_FALSE(Transcript().feed(Side::requests, "get " + std::string(251, 'k') + "\r\n"));
}

TEST(CallsMemcached, ResponsesWithoutTheirRequests) {
  Transcript t(false);
  EXPECT_TRUE(t.feed(Side::responses, "VALUE a 0 1\r\nx\r\nEND\r\n5\r\nSTAT a b\r\nEND\r\nSTORED\r\nVA 1 s1\r\nx\r\n"));
  EXPECT_EQ(t.messages, "<\n<\n<\n<\n<\n");
  EXPECT_TRUE(t.machine().at_border(Side::responses));
  EXPECT_TRUE(t.feed(Side::requests, "get a\r\n"));
  EXPECT_FALSE(t.feed(Side::responses, "STORED\r\n")) << "this does not answer it";

  Transcript early;  // the response was recorded before the request
  EXPECT_TRUE(early.feed(Side::responses, "STORED\r\n"));
  EXPECT_TRUE(early.feed(Side::requests, "set a 0 0 1\r\nx\r\nget a\r\n"));
  EXPECT_TRUE(early.feed(Side::responses, "END\r\n"));
}

TEST(CallsMemcached, SkipsInsideValuesOnly) {
  Transcript t;
  EXPECT_TRUE(t.feed(Side::requests, "set a 0 0 1000\r\nabc"));
  EXPECT_TRUE(t.skip(Side::requests, 990));
  EXPECT_TRUE(t.skip(Side::requests, 7));
  EXPECT_TRUE(t.feed(Side::requests, "\r\n"));
  EXPECT_TRUE(t.feed(Side::responses, "STORED\r\n"));
  EXPECT_EQ(t.messages, "> set k\n<\n");
  EXPECT_FALSE(t.skip(Side::requests, 1));
  EXPECT_FALSE(t.feed(Side::requests, "get a\r\n")) << "lost";
  Token ended;
  EXPECT_FALSE(t.machine().resume(Side::requests, "", ended));

  Transcript binary;
  const std::string set = packet(0x80, 1, kEight, "key", std::string(100, 'v'));
  EXPECT_TRUE(binary.feed(Side::requests, set.substr(0, 40)));
  EXPECT_TRUE(binary.skip(Side::requests, set.size() - 41));
  EXPECT_TRUE(binary.feed(Side::requests, "v"));
  EXPECT_EQ(binary.messages, "> SET kkk\n");
  EXPECT_TRUE(binary.feed(Side::requests, set.substr(0, 33)));
  EXPECT_FALSE(binary.skip(Side::requests, 1)) << "inside the key";

  for (const std::size_t n : {std::size_t{84}, std::size_t{85}, std::size_t{1} << 40}) {
    Transcript border;
    EXPECT_TRUE(border.feed(Side::requests, set.substr(0, 51)));
    EXPECT_FALSE(border.skip(Side::requests, n)) << "it holds the end";
  }
}

// The middle of an answer with many values was not seen. A client that sends the next request has read the answer.
TEST(CallsMemcached, GoesOnBehindALostAnswer) {
  Transcript t;
  EXPECT_TRUE(t.feed(Side::requests, "get a b\r\n"));
  EXPECT_TRUE(t.feed(Side::responses, "VALUE a 0 1000\r\nxx"));
  EXPECT_FALSE(t.skip(Side::responses, 5000));
  Token ended;
  EXPECT_TRUE(t.machine().resume(Side::responses, "", ended));
  EXPECT_TRUE(ended.ends);
  EXPECT_TRUE(t.machine().at_border(Side::responses));

  EXPECT_TRUE(t.feed(Side::requests, "get a\r\nget b\r\n"));
  EXPECT_FALSE(t.skip(Side::responses, 10));
  EXPECT_FALSE(t.machine().resume(Side::responses, "", ended)) << "two were asked at once";
}

TEST(CallsMemcached, NoMoreThanItsLimits) {
  Transcript t;
  for (int i = 0; i < 4096; ++i) ASSERT_TRUE(t.feed(Side::requests, "get a\r\n"));
  EXPECT_FALSE(t.feed(Side::requests, "get a\r\n"));
  for (const std::string_view line :
       {"set a 0 0 4294967295\r\n"sv, "set a 0 0 99999999999\r\n"sv, "set a 0 0 -1\r\n"sv, "set a 0 x 1\r\n"sv,
        "set a 0 0\r\n"sv, "set a 0 0 1\r\nxy\r\n"sv, "foo\r\n"sv, "get\r\n"sv, "get1 a\r\n"sv, " get a\r\n"sv,
        "get a\r\r\n"sv, "get a\rb\r\n"sv, "get a\0\r\n"sv, "\r\n"sv, "GET a\r\n"sv, "mn a\0\r\n"sv})
    EXPECT_FALSE(Transcript().feed(Side::requests, line)) << line;
  for (const std::string_view line : {"STORED x\r\n"sv, "STORED\n"sv, "stored\r\n"sv, "VALUE a 0\r\n"sv, "1a\r\n"sv,
                                      "123456789012345678901\r\n"sv, "UNKNOWN\r\n"sv, "END\r\r\n"sv})
    EXPECT_FALSE(Transcript().feed(Side::responses, line)) << line;
}

TEST(CallsMemcached, Begins) {
  const auto begun = [](std::string_view bytes) { return begins(Side::requests, bytes); };
  for (const std::string_view bytes : {"get a\r\n"sv, "get "sv, "version\r\n"sv, "set a 0 0 5\r\nhel"sv, "mn\r\n"sv})
    EXPECT_TRUE(begun(bytes)) << bytes;
  for (const std::string_view bytes :
       {"get"sv, "GET / HTTP/1.1\r\n"sv, "quit\r\n"sv, "version"sv, "EHLO a\r\n"sv, "*1\r\n$4\r\nPING\r\n"sv,
        "set k v\r\n"sv, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"sv, "\x80\x2e\x01\x03\x00\x00\x15\x00\x00\x00\x10"sv,
        "\x80"sv, "stat\r\n"sv, ""sv})
    EXPECT_FALSE(begun(bytes)) << bytes;
  EXPECT_TRUE(begun(kBinary[0].bytes));
  EXPECT_FALSE(begun(kBinary[0].bytes.substr(0, 23)));
  EXPECT_FALSE(begun(kBinary[1].bytes));
  EXPECT_FALSE(begins(Side::responses, "END\r\n"));
}

bool proved(Side side, std::string_view bytes) { return proves(side, bytes, bytes.size()); }

TEST(CallsMemcached, Proves) {
  for (const Talk& talk : {kText, kMeta, kBinary})
    for (const Io& io : talk)
      EXPECT_EQ(proved(io.side, io.bytes), io.bytes != "shutdown\r\n" && io.bytes != "quit\r\n" &&
                                               io.bytes != "stats items\n" && !io.bytes.starts_with("42\r\nNOT"))
          << io.bytes;
  EXPECT_TRUE(proves(Side::requests, "set a 0 0 5000\r\nabc", 5018));
  EXPECT_TRUE(proves(Side::requests, "set a 0 0 5\r\nabcde\r\nget b", 100));
  EXPECT_FALSE(proves(Side::requests, "set a 0 0 5\r\nabcde\r\nget b", 25));
  EXPECT_TRUE(proved(Side::responses, "17\r\n"));
  EXPECT_TRUE(proved(Side::responses, "**\r\n"));
  for (const std::string_view other :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv,
        "get / http/1.1\r\nhost: a\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\n\r\n"sv,
        "220 mail ESMTP\r\n"sv,
        "250 OK\r\n"sv,
        "MAIL FROM:<a@b>\r\n"sv,
        "USER a\r\n"sv,
        "quit\r\n"sv,
        "*1\r\n$4\r\nPING\r\n"sv,
        "*0\r\n"sv,
        "+OK\r\n"sv,
        ":1\r\n"sv,
        "$-1\r\n"sv,
        "-ERR unknown command\r\n"sv,
        "set k v\r\n"sv,
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"sv,
        "\x15\x03\x03\x00\x02\x01\x00"sv,
        "\x80\x00\x00\x00\x03select 1 from a where b = 2"sv,
        "Q\x00\x00\x00\x0dselect 1\x00"sv,
        "\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"sv,
        "\x81\x00\x00\x01\x0a\x35\x2e\x37\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"sv})
    for (const Side side : {Side::requests, Side::responses}) EXPECT_FALSE(proved(side, other)) << other;
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes(1 + random() % 60, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (i % 2 == 0) bytes[0] = static_cast<char>(0x80 | (i >> 1 & 1));
    if (bytes.size() < 8 && bytes.ends_with("\r\n")) continue;
    ASSERT_FALSE(proved(Side::requests, bytes));
    ASSERT_FALSE(proved(Side::responses, bytes));
  }
}

TEST(CallsMemcached, Faults) {
  for (const std::string_view code : {"SERVER_ERROR"sv, "\0\x82"sv, "\0\x84"sv, "\0\x85"sv, "\0\x86"sv, "132"sv})
    EXPECT_EQ(fault(code), Fault::server) << code;
  for (const std::string_view code :
       {"CLIENT_ERROR"sv, "ERROR"sv, ""sv, "\0\x03"sv, "\0 "sv, "\0\x81"sv, "32"sv, "129"sv, "\0\x83"sv})
    EXPECT_EQ(fault(code), Fault::client) << code;
}

// Damaged talks: sizes stay within the bytes, and what was masked is read like what was whole.
TEST(CallsMemcached, DamagedBytes) {
  std::mt19937 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const Talk& talk = i % 3 == 0 ? kText : i % 3 == 1 ? kMeta : kBinary;
    const auto whole = memcached::machine(i % 2 == 0), again = memcached::machine(i % 2 == 0);
    for (const Io& io : talk) {
      std::string bytes = io.bytes;
      if (random() % 8 == 0) bytes[random() % bytes.size()] = static_cast<char>(random());
      if (random() % 16 == 0) bytes.erase(random() % bytes.size());
      if (random() % 16 == 0) {
        const std::uint64_t n = random() % 20;
        ASSERT_EQ(whole->skip(io.side, n), again->skip(io.side, n));
      }
      std::string_view rest = bytes;
      while (!rest.empty()) {
        const std::string_view piece = rest.substr(0, 1 + random() % 40);
        const Token t = whole->next(io.side, piece);
        ASSERT_LE(t.size, piece.size());
        if (t.size == 0) {
          ASSERT_EQ(again->next(io.side, piece).size, 0u);
          break;
        }
        std::string hidden(piece);
        const std::string_view token = piece.substr(0, t.size);
        if (t.part != Part::framing) hidden.replace(0, token.size(), token.size(), '*');
        const Token u = again->next(io.side, hidden);
        ASSERT_EQ(u.size, t.size);
        ASSERT_EQ(u.part, t.part);
        ASSERT_EQ(u.field, t.field);
        ASSERT_EQ(u.text_ends, t.text_ends);
        ASSERT_EQ(u.ends, t.ends);
        ASSERT_EQ(u.failed, t.failed);
        ASSERT_EQ(u.unanswered, t.unanswered);
        ASSERT_EQ(u.pushed, t.pushed);
        rest.remove_prefix(t.size);
      }
    }
  }
}

}  // namespace
}  // namespace tailcap::formats::calls::memcached
