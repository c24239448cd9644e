#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "formats/calls/redis/redis.h"
#include "formats/calls/stream.h"

namespace tailcap::formats::calls::redis {
namespace {

// What was read: of each message its texts and flags, and the bytes as a capture would hold them.
struct Read {
  std::vector<std::string> messages;
  std::string kept;
  bool sound = true;
};

struct Piece {
  Side side;
  std::string bytes;
};

class Reader {
 public:
  void feed(Side side, std::string_view bytes) {
    while (!bytes.empty() && read.sound) {
      const Token t = machine_->next(side, bytes);
      read.sound = t.size >= 1 && t.size <= bytes.size();
      if (!read.sound) return;
      token(side, t, bytes.substr(0, t.size));
      bytes.remove_prefix(t.size);
    }
  }
  bool skip(Side side, std::uint64_t n) {
    read.kept += std::string(n, '*');
    return machine_->skip(side, n);
  }
  bool at_border(Side side) const { return machine_->at_border(side); }
  Read read;

 private:
  void token(Side side, const Token& t, std::string_view bytes) {
    std::string& text = text_[static_cast<std::size_t>(side)];
    if (t.begins) text = side == Side::requests ? "> " : "< ";
    if (t.field == Field::operation || t.field == Field::error_code) text += bytes;
    if (t.field == Field::key) text += std::string(bytes.size(), 'k');
    if (t.text_ends) text += ' ';
    read.kept += t.part == Part::framing ? std::string(bytes) : std::string(bytes.size(), '*');
    if (!t.ends) return;
    if (t.failed) text += " failed";
    if (t.unanswered) text += " unanswered";
    if (t.pushed) text += " pushed";
    if (t.waits) text += " waits";
    read.messages.push_back(text);
  }

  std::unique_ptr<Machine> machine_ = redis::machine(true);
  std::string text_[2];
};

Read read(const std::vector<Piece>& pieces) {
  Reader reader;
  for (const Piece& p : pieces) reader.feed(p.side, p.bytes);
  return reader.read;
}

constexpr Side kAsk = Side::requests, kAnswer = Side::responses;

std::vector<Piece> session() {
  return {
      {kAsk, "*3\r\n$3\r\nSET\r\n$7\r\nuser:17\r\n$6\r\nsecret\r\n"},
      {kAnswer, "+OK\r\n"},
      {kAsk, "*2\r\n$3\r\nget\r\n$7\r\nuser:17\r\n"},
      {kAnswer, "$6\r\nsecret\r\n"},
      {kAsk, "*2\r\n$3\r\nGET\r\n$4\r\nnone\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"},
      {kAnswer, "$-1\r\n:42\r\n"},
      {kAsk, "*2\r\n$4\r\nAUTH\r\n$8\r\npassword\r\n"},
      {kAnswer, "-WRONGPASS invalid username-password pair\r\n"},
      {kAsk, "*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$3\r\ndir\r\n"},
      {kAnswer, "*2\r\n$3\r\ndir\r\n$4\r\n/tmp\r\n"},
      {kAsk, "*3\r\n$5\r\nBLPOP\r\n$5\r\nqueue\r\n$1\r\n0\r\n"},
      {kAnswer, "*-1\r\n"},
      {kAsk, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"},
      {kAnswer, "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"},
      {kAsk, "*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n"},
      {kAnswer, ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"},
      {kAnswer, ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n"},
      {kAsk, "*4\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n1\r\n$3\r\nabc\r\n"},
      {kAnswer, "|1\r\n+ttl\r\n:9\r\n*2\r\n:1\r\n-ERR inner\r\n"},
  };
}

const std::vector<std::string> kMessages = {
    "> SET kkkkkkk ",
    "< ",
    "> get kkkkkkk ",
    "< ",
    "> GET kkkk ",
    "> INCR k ",
    "< ",
    "< ",
    "> AUTH ",
    "< WRONGPASS failed",
    "> CONFIG GET ",
    "< ",
    "> BLPOP kkkkk  waits",
    "< ",
    "> HELLO ",
    "< ",
    "> SUBSCRIBE kkkk  unanswered",
    "<  pushed",
    "<  pushed",
    "> EVAL kkk ",
    "< ERR",
};

TEST(CallsRedis, CommandsAndRepliesOfBothVersions) {
  const Read whole = read(session());
  EXPECT_TRUE(whole.sound);
  EXPECT_EQ(whole.messages, kMessages);
}

TEST(CallsRedis, NoValueIsKept) {
  const Read whole = read(session());
  for (const std::string_view value : {"secret", "user:17", "password", "invalid", "/tmp", "hello", "return", ":42"})
    EXPECT_EQ(whole.kept.find(value), std::string::npos) << value;
  EXPECT_NE(whole.kept.find("$3\r\nSET\r\n$7\r\n*******\r\n$6\r\n******\r\n"), std::string::npos);
  EXPECT_NE(whole.kept.find("-WRONGPASS*"), std::string::npos);
}

TEST(CallsRedis, CutAnywhereItIsTheSame) {
  const Read whole = read(session());
  for (std::size_t cut = 1; cut < 60; ++cut) {
    std::vector<Piece> pieces;
    for (const Piece& p : session())
      for (std::size_t at = 0; at < p.bytes.size(); at += cut) pieces.push_back({p.side, p.bytes.substr(at, cut)});
    const Read cut_up = read(pieces);
    EXPECT_TRUE(cut_up.sound);
    EXPECT_EQ(cut_up.messages.size(), kMessages.size()) << cut;  // a word that is cut is hidden
    EXPECT_EQ(cut_up.kept.size(), whole.kept.size());
    EXPECT_EQ(cut_up.kept.find("secret"), std::string::npos);
  }
}

TEST(CallsRedis, MaskedBytesReadAlike) {
  std::vector<Piece> masked;
  Reader writer;
  for (const Piece& p : session()) {
    const std::size_t from = writer.read.kept.size();
    writer.feed(p.side, p.bytes);
    masked.push_back({p.side, writer.read.kept.substr(from)});
  }
  const Read again = read(masked);
  EXPECT_EQ(again.messages, kMessages);
  EXPECT_EQ(again.kept, writer.read.kept);
}

TEST(CallsRedis, WhatIsSkippedInAValueMovesOn) {
  Reader reader;
  reader.feed(kAsk, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$100\r\n");
  EXPECT_TRUE(reader.skip(kAsk, 90));
  EXPECT_FALSE(reader.at_border(kAsk));
  EXPECT_TRUE(reader.skip(kAsk, 12));  // with CR LF
  EXPECT_TRUE(reader.at_border(kAsk));
  EXPECT_FALSE(reader.skip(kAsk, 1));
}

TEST(CallsRedis, AClientThatAsksOneThingAtATimeHasReadTheAnswer) {
  const auto machine = redis::machine(true);
  const auto feed = [&](Side side, std::string_view bytes) {
    while (!bytes.empty()) {
      const Token t = machine->next(side, bytes);
      ASSERT_GT(t.size, 0u);
      bytes.remove_prefix(t.size);
    }
  };
  feed(kAsk, "*2\r\n$4\r\nMGET\r\n$1\r\na\r\n");
  feed(kAnswer, "*100\r\n$1000\r\nxxxx");
  EXPECT_FALSE(machine->skip(kAnswer, 20000));
  Token ended;
  EXPECT_FALSE(machine->resume(kAnswer, "xx\r\n", ended));
  EXPECT_TRUE(machine->resume(kAnswer, {}, ended));
  EXPECT_TRUE(ended.ends);
  feed(kAsk, "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n");
  EXPECT_FALSE(machine->skip(kAnswer, 7));
  EXPECT_FALSE(machine->resume(kAnswer, {}, ended));  // two questions are open
}

TEST(CallsRedis, OnlyCommandsProveARequest) {
  EXPECT_TRUE(redis::begins(kAsk, "*1\r\n$4\r\nPING\r\n"));
  EXPECT_FALSE(redis::begins(kAnswer, "*1\r\n"));
  EXPECT_FALSE(redis::begins(kAsk, "GET / HTTP/1.1\r\n"));
  const auto proves = [](Side side, std::string_view bytes) { return redis::proves(side, bytes, bytes.size()); };
  EXPECT_TRUE(proves(kAsk, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"));
  EXPECT_FALSE(proves(kAsk, "*2\r\n$3\r\nXYZ\r\n$1\r\na\r\n"));  // no command
  EXPECT_FALSE(proves(kAsk, "*2\r\n$3\r\nGET\r\n$1\r\na"));      // not whole
  EXPECT_TRUE(redis::proves(kAsk, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5000\r\nxxx", 5032));
  EXPECT_TRUE(proves(kAnswer, "+OK\r\n"));
  EXPECT_TRUE(proves(kAnswer, "$3\r\nabc\r\n"));
  EXPECT_FALSE(proves(kAnswer, "HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_FALSE(proves(kAnswer, "???\r\n"));
}

TEST(CallsRedis, AnyBytesAreRead) {
  std::mt19937 random(41);
  constexpr std::string_view kSigns = "*$+-:%>|\r\n0123456789GETabc";
  for (int i = 0; i < 3000; ++i) {
    const auto machine = redis::machine(i % 2 == 0);
    for (int piece = 0; piece < 20; ++piece) {
      std::string bytes;
      for (std::size_t n = random() % 30 + 1; n > 0; --n)
        bytes += random() % 8 == 0 ? static_cast<char>(random()) : kSigns[random() % kSigns.size()];
      const Side side = random() % 2 == 0 ? kAsk : kAnswer;
      std::string_view rest = bytes;
      while (!rest.empty()) {
        const Token t = machine->next(side, rest);
        ASSERT_LE(t.size, rest.size());
        if (t.size == 0) break;
        rest.remove_prefix(t.size);
      }
      (void)machine->skip(side, random() % 50);
    }
  }
}

}  // namespace
}  // namespace tailcap::formats::calls::redis
