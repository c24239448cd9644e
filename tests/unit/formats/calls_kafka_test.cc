// Kafka: messages of all kinds of headers, cut, masked and skipped; what begins and what proves a connection.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "formats/calls/kafka/kafka.h"
#include "formats/calls/machine/key_shape.h"
#include "formats/calls/stream.h"

namespace tailcap::formats::calls::kafka {
namespace {

using namespace std::string_view_literals;

constexpr Side kAsk = Side::requests, kAnswer = Side::responses;

// Builds the bytes of a message.
class Bytes {
 public:
  Bytes& number(std::uint64_t n, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) out += i < sizeof n ? static_cast<char>(n >> (8 * i)) : '\0';
    return *this;
  }
  Bytes& text(std::string_view t) { return number(t.size(), 2).raw(t); }
  Bytes& compact(std::string_view t) { return number(t.size() + 1, 1).raw(t); }
  Bytes& raw(std::string_view t) {
    out += t;
    return *this;
  }
  std::string out;
};

std::string sized(const std::string& body) { return Bytes().number(body.size(), 4).raw(body).out; }

std::string request(unsigned api, unsigned version, std::uint32_t correlation, bool flexible, const Bytes& body) {
  Bytes b;
  b.number(api, 2).number(version, 2).number(correlation, 4).text("probe");
  if (flexible) b.number(0, 1);
  return sized(b.raw(body.out).out);
}
std::string response(std::uint32_t correlation, bool flexible, const Bytes& body) {
  Bytes b;
  b.number(correlation, 4);
  if (flexible) b.number(0, 1);
  return sized(b.raw(body.out).out);
}

struct Io {
  Side side;
  std::string bytes;
};
using Talk = std::vector<Io>;

// What the machine says of a connection: a line for each message, and the bytes as a capture keeps them.
class Transcript {
 public:
  explicit Transcript(bool from_beginning = true) : machine_(kafka::machine(from_beginning)) {}

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
  bool skip(Side side, std::uint64_t n) {
    kept.append(n, '*');
    if (!machine_->skip(side, n)) return false;
    if (machine_->at_border(side)) end(side, machine_->skipped(side));
    return true;
  }
  Machine& machine() { return *machine_; }

  std::string messages, kept;

 private:
  struct Open {
    std::string key, code;
    bool begun = false;
  };

  void add(Side side, const Token& t, std::string_view bytes) {
    Open& open = open_[static_cast<std::size_t>(side)];
    EXPECT_FALSE(t.begins && open.begun);
    open.begun = open.begun || t.begins;
    EXPECT_TRUE(open.begun);
    if (t.field == Field::key) open.key.append(bytes.size(), 'k');
    if (t.field == Field::error_code) open.code += bytes;
    kept += t.part == Part::framing ? std::string(bytes) : std::string(bytes.size(), '*');
    if (t.ends) end(side, t);
  }
  void end(Side side, const Token& t) {
    Open& open = open_[static_cast<std::size_t>(side)];
    messages += (side == kAsk ? "> " : "< ") + std::to_string(t.call);
    for (const std::string& text :
         {std::string(t.operation), open.key, t.failed ? "!" + kafka::code(open.code) : std::string()})
      if (!text.empty()) messages += " " + text;
    if (t.unanswered) messages += " unanswered";
    if (t.pushed) messages += " pushed";
    if (t.waits) messages += " waits";
    messages += "\n";
    open = {};
  }

  std::unique_ptr<Machine> machine_;
  Open open_[2];
};

Transcript read(const Talk& talk, std::size_t most = std::string_view::npos) {
  Transcript t;
  for (const Io& io : talk) EXPECT_TRUE(t.feed(io.side, io.bytes, most));
  return t;
}

// What is left out of a capture: runs that are hidden.
void skips_hidden(const Talk& talk, const Transcript& whole) {
  constexpr std::size_t kLong = 4;
  Transcript t;
  std::size_t at = 0;
  for (const Io& io : talk) {
    const std::string_view kept = std::string_view(whole.kept).substr(at, io.bytes.size());
    at += kept.size();
    for (std::size_t i = 0; i < kept.size();) {
      const std::size_t hidden = std::min(kept.find_first_not_of('*', i), kept.size()) - i;
      const std::size_t seen = std::min(kept.find(std::string(kLong, '*'), i), kept.size()) - i;
      if (hidden >= kLong)
        ASSERT_TRUE(t.skip(io.side, hidden));
      else
        ASSERT_TRUE(t.feed(io.side, kept.substr(i, seen)));
      i += hidden >= kLong ? hidden : seen;
    }
  }
  EXPECT_EQ(t.kept, whole.kept);
  // Keys are hidden here, too: they are no text then.
  const auto without_keys = [](std::string text) {
    std::erase(text, 'k');
    for (std::size_t blank; (blank = text.find("  ")) != text.npos;) text.erase(blank, 1);
    for (std::size_t blank; (blank = text.find(" \n")) != text.npos;) text.erase(blank, 1);
    return text;
  };
  EXPECT_EQ(without_keys(t.messages), without_keys(whole.messages));
}

// Cut at every place and into small pieces, and of what is kept of it, a talk has the same messages.
void same_everywhere(const Talk& talk) {
  const Transcript whole = read(talk);
  for (const std::size_t most : {1u, 2u, 3u, 4u, 7u}) {
    const Transcript cut = read(talk, most);
    ASSERT_EQ(cut.messages, whole.messages) << most;
    ASSERT_EQ(cut.kept, whole.kept) << most;
  }
  Talk hidden;
  for (std::size_t at = 0; const Io& io : talk) {
    hidden.push_back({io.side, whole.kept.substr(at, io.bytes.size())});
    at += io.bytes.size();
  }
  for (const std::size_t most : {std::string_view::npos, std::size_t{1}}) {
    const Transcript again = read(hidden, most);
    ASSERT_EQ(again.kept, whole.kept);
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
  skips_hidden(talk, whole);
}

const std::string kRecords = "secret records" + std::string(60, 'r');

Bytes produce(unsigned acks, std::string_view topic) {
  return Bytes()
      .number(0xffff, 2)
      .number(acks, 2)
      .number(30000, 4)
      .number(1, 4)
      .text(topic)
      .number(1, 4)
      .number(0, 4)
      .number(kRecords.size(), 4)
      .raw(kRecords);
}
Bytes produced(unsigned first, unsigned second) {
  Bytes b;
  b.number(1, 4).text("orders.eu").number(2, 4);
  for (const unsigned error : {first, second})
    b.number(7, 4).number(error, 2).number(4711, 8).number(0, 8).number(0, 8);
  return b.number(0, 4);
}
Bytes fetch(std::uint32_t wait, std::uint32_t least) {
  return Bytes()
      .number(0xffffffff, 4)
      .number(wait, 4)
      .number(least, 4)
      .number(1 << 20, 4)
      .number(0, 1)
      .number(1, 4)
      .text("orders.eu")
      .number(1, 4)
      .number(0, 4)
      .number(42, 8)
      .number(1 << 20, 4);
}
Bytes fetched(unsigned error, std::string_view records) {
  Bytes b;
  b.number(0, 4).number(1, 4).text("orders.eu").number(2, 4);
  for (const unsigned code : {0u, error})
    b.number(0, 4)
        .number(code, 2)
        .number(50, 8)
        .number(50, 8)
        .number(1, 4)
        .number(9, 8)
        .number(1, 8)
        .number(records.size(), 4)
        .raw(records);
  return b;
}

Talk classic() {
  return {
      {kAsk, request(18, 0, 1, false, {})},
      {kAnswer, response(1, false, Bytes().number(0, 2).number(1, 4).number(0, 6))},
      {kAsk, request(3, 1, 2, false, Bytes().number(2, 4).text("orders.eu").text("hidden-topic"))},
      {kAnswer, response(2, false,
                         Bytes()
                             .number(1, 4)
                             .number(1, 4)
                             .text("broker.local")
                             .number(9092, 4)
                             .number(0xffff, 2)
                             .number(1, 4)
                             .number(2, 4)
                             .number(0, 2)
                             .text("orders.eu")
                             .number(0, 1)
                             .number(1, 4)
                             .number(9, 2)
                             .number(0, 4)
                             .number(1, 4)
                             .number(1, 4)
                             .number(1, 4)
                             .number(0, 4)
                             .number(3, 2)
                             .text("hidden-topic")
                             .number(0, 1)
                             .number(0, 4))},
      {kAsk, request(0, 7, 3, false, produce(1, "orders.eu")) + request(0, 7, 4, false, produce(0, "orders.eu")) +
                 request(0, 7, 5, false, produce(0xffff, "user-events"))},
      {kAnswer, response(3, false, produced(0, 0)) + response(5, false, produced(0, 6))},
      {kAsk, request(1, 4, 6, false, fetch(500, 1))},
      {kAnswer, response(6, false, fetched(0, kRecords))},
      {kAsk, request(1, 4, 7, false, fetch(500, 0))},
      {kAnswer, response(7, false, fetched(1, ""))},
      {kAsk, request(11, 2, 8, false,
                     Bytes().text("billing").number(9, 4).number(9, 4).text("member").text("consumer").number(0, 4))},
      {kAnswer,
       response(8, false,
                Bytes().number(0, 4).number(79, 2).number(1, 4).text("").text("").text("member-1").number(0, 4))},
      {kAsk, request(12, 1, 8, false, Bytes().text("billing").number(1, 4).text("member-1"))},
      {kAsk, request(12, 1, 8, false, Bytes().text("billing").number(1, 4).text("member-1"))},
      {kAnswer, response(8, false, Bytes().number(0, 4).number(27, 2))},
      {kAnswer, response(8, false, Bytes().number(0, 4).number(0, 2))},
      {kAnswer, response(8, false, Bytes().number(0, 4).number(27, 2))},
      {kAsk, sized(Bytes().number(7, 2).number(0, 2).number(9, 4).number(1, 4).out)},
      {kAnswer, response(9, false, Bytes().number(0xffff, 2).number(0, 4))},
  };
}

TEST(CallsKafka, ClassicHeaders) {
  const Transcript t = read(classic());
  EXPECT_EQ(t.messages,
            "> 1 API VERSIONS\n< 1\n> 2 METADATA kkkkkkkkk\n< 2 !UNKNOWN_TOPIC_OR_PARTITION\n"
            "> 3 PRODUCE kkkkkkkkk\n> 4 PRODUCE kkkkkkkkk unanswered\n> 5 PRODUCE kkkkkkkkkkk\n"
            "< 3\n< 5 !NOT_LEADER_OR_FOLLOWER\n> 6 FETCH kkkkkkkkk waits\n< 6\n> 7 FETCH kkkkkkkkk\n"
            "< 7 !OFFSET_OUT_OF_RANGE\n> 8 JOIN GROUP kkkkkkk waits\n< 8 !MEMBER_ID_REQUIRED\n"
            "> 9 HEARTBEAT kkkkkkk\n> 10 HEARTBEAT kkkkkkk\n< 9 !REBALANCE_IN_PROGRESS\n< 10\n< 0 pushed\n"
            "> 11 CONTROLLED SHUTDOWN\n< 11 !UNKNOWN_SERVER_ERROR\n");
  for (const std::string_view secret : {"secret"sv, "probe"sv, "member"sv, "broker"sv, "hidden"sv, "orders"sv})
    EXPECT_EQ(t.kept.find(secret), std::string::npos) << secret;
  same_everywhere(classic());
}

Talk flexible() {
  const std::string long_topic(200, 'a');
  return {
      {kAsk, request(18, 3, 1, true, Bytes().compact("librdkafka").compact("2.0.2").number(0, 1))},
      // Its header has no tagged fields, whatever its version.
      {kAnswer, response(1, false, Bytes().number(35, 2).number(0, 4))},
      {kAsk, request(0, 9, 2, true,
                     Bytes()
                         .number(0, 1)
                         .number(1, 2)
                         .number(30000, 4)
                         .number(2, 1)
                         .raw("\xc9\x01")
                         .raw(long_topic)
                         .number(2, 1)
                         .number(0, 4)
                         .compact(kRecords)
                         .number(0, 3))},
      {kAnswer, response(2, true,
                         Bytes()
                             .number(2, 1)
                             .raw("\xc9\x01")
                             .raw(long_topic)
                             .number(3, 1)
                             .number(0, 4)
                             .number(0, 2)
                             .number(1, 8)
                             .number(1, 8)
                             .number(1, 8)
                             .number(2, 1)
                             .number(5, 4)
                             .compact("bad record")
                             .number(0, 1)
                             .compact("text")
                             .number(1, 1)
                             .number(0, 1)
                             .number(3, 1)
                             .raw("tag")
                             .number(1, 4)
                             .number(87, 2)
                             .number(1, 24)
                             .number(1, 1)
                             .number(0, 1)
                             .number(0, 2)
                             .number(0, 4)
                             .number(0, 1))},
      {kAsk, request(1, 13, 3, true,
                     Bytes()
                         .number(0xffffffff, 4)
                         .number(100, 4)
                         .number(1, 4)
                         .number(1, 4)
                         .number(0, 1)
                         .number(7, 4)
                         .number(1, 4)
                         .number(2, 1)
                         .raw("0123456789abcdef")
                         .number(1, 1)
                         .number(0, 1)
                         .number(1, 1)
                         .compact("rack")
                         .number(0, 1))},
      {kAnswer, response(3, true, Bytes().number(0, 4).number(70, 2).number(7, 4).number(1, 1).number(0, 1))},
      {kAsk,
       request(10, 4, 4, true, Bytes().number(0, 1).number(3, 1).compact("billing").compact("other").number(0, 1))},
      {kAnswer, response(4, true,
                         Bytes()
                             .number(0, 4)
                             .number(3, 1)
                             .compact("billing")
                             .number(1, 4)
                             .compact("host")
                             .number(9092, 4)
                             .number(0, 2)
                             .number(0, 1)
                             .number(0, 1)
                             .compact("other")
                             .number(1, 4)
                             .compact("")
                             .number(9092, 4)
                             .number(15, 2)
                             .number(0, 1)
                             .number(0, 1)
                             .number(0, 1))},
      {kAsk, request(9, 8, 5, true,
                     Bytes()
                         .number(2, 1)
                         .compact("billing")
                         .number(2, 1)
                         .compact("orders.eu")
                         .number(2, 1)
                         .number(0, 4)
                         .number(0, 1)
                         .number(0, 1)
                         .number(0, 1)
                         .number(0, 1))},
      {kAnswer, response(5, true,
                         Bytes()
                             .number(0, 4)
                             .number(2, 1)
                             .compact("billing")
                             .number(2, 1)
                             .compact("orders.eu")
                             .number(2, 1)
                             .number(0, 4)
                             .number(77, 8)
                             .number(1, 4)
                             .compact("metadata")
                             .number(0, 2)
                             .number(0, 1)
                             .number(0, 1)
                             .number(30, 2)
                             .number(0, 2))},
      // Versions that are not known yet.
      {kAsk, request(3, 14, 6, true, Bytes().compact("anything"))},
      {kAnswer, response(6, true, Bytes().number(0xffff, 2).raw("anything"))},
  };
}

TEST(CallsKafka, FlexibleHeaders) {
  const Transcript t = read(flexible());
  const std::string topic(200, 'k');
  EXPECT_EQ(t.messages, "> 1 API VERSIONS\n< 1 !UNSUPPORTED_VERSION\n> 2 PRODUCE " + topic +
                            "\n< 2 !INVALID_RECORD\n> 3 FETCH waits\n< 3 !FETCH_SESSION_ID_NOT_FOUND\n"
                            "> 4 FIND COORDINATOR kkkkkkk\n< 4 !COORDINATOR_NOT_AVAILABLE\n> 5 OFFSET FETCH kkkkkkkkk\n"
                            "< 5 !GROUP_AUTHORIZATION_FAILED\n> 6 METADATA\n< 6\n");
  for (const std::string_view secret : {"rdkafka"sv, "secret"sv, "bad"sv, "text"sv, "rack"sv, "host"sv, "billing"sv,
                                        "metadata"sv, "anything"sv, "other"sv})
    EXPECT_EQ(t.kept.find(secret), std::string::npos) << secret;
  same_everywhere(flexible());
}

// Tokens without headers behind SaslHandshake 0; the last one of the client is not answered.
TEST(CallsKafka, TokensOfSasl) {
  const Talk talk = {
      {kAsk, request(17, 0, 1, false, Bytes().text("GSSAPI"))},
      {kAnswer, response(1, false, Bytes().number(0, 2).number(1, 4).text("GSSAPI"))},
      {kAsk, sized("\x60 first token")},
      {kAnswer, sized("\x60 its answer")},
      {kAsk, sized("")},
      {kAnswer, sized("")},
      {kAsk, sized(std::string("\0user\0password", 14))},
      {kAsk, request(3, 0, 2, false, Bytes().number(0, 4))},
      {kAnswer, response(2, false, Bytes().number(0, 4).number(1, 4).number(5, 2).text("t").number(0, 4))},
  };
  const Transcript t = read(talk);
  EXPECT_EQ(t.messages,
            "> 1 SASL HANDSHAKE\n< 1\n> 2 SASL AUTHENTICATE\n< 2\n> 3 SASL AUTHENTICATE\n< 3\n"
            "> 4 SASL AUTHENTICATE\n> 5 METADATA\n< 5 !LEADER_NOT_AVAILABLE\n");
  for (const std::string_view secret : {"user"sv, "password"sv, "token"sv, "answer"sv, "\x60"sv})
    EXPECT_EQ(t.kept.find(secret), std::string::npos) << secret;
  same_everywhere(talk);

  const Talk later = {
      {kAsk, request(17, 1, 1, false, Bytes().text("PLAIN"))},
      {kAnswer, response(1, false, Bytes().number(0, 2).number(0, 4))},
      {kAsk, request(36, 2, 2, true, Bytes().compact("\0user\0password"sv).number(0, 1))},
      {kAnswer, response(2, true, Bytes().number(58, 2).compact("wrong password").number(1, 1).number(0, 9))},
  };
  EXPECT_EQ(read(later).messages, "> 1 SASL HANDSHAKE\n< 1\n> 2 SASL AUTHENTICATE\n< 2 !SASL_AUTHENTICATION_FAILED\n");
  EXPECT_EQ(read(later).kept.find("password"), std::string::npos);
  same_everywhere(later);
}

TEST(CallsKafka, SkipsInsideOfMessages) {
  const std::string ask = request(0, 7, 3, false, produce(1, "orders.eu"));
  for (std::size_t from = 1; from < ask.size(); ++from) {
    for (std::size_t n = 1; n <= ask.size() - from; n += 3) {
      Transcript t;
      ASSERT_TRUE(t.feed(kAsk, ask.substr(0, from)));
      if (from < 4) {
        ASSERT_FALSE(t.skip(kAsk, n));
        continue;
      }
      ASSERT_TRUE(t.skip(kAsk, n));
      ASSERT_TRUE(t.feed(kAsk, ask.substr(from + n) + request(12, 1, 8, false, Bytes().text("g"))));
      ASSERT_TRUE(t.messages.ends_with("> 2 HEARTBEAT k\n")) << t.messages;
      if (from >= 12) {
        ASSERT_TRUE(t.messages.starts_with("> 1 PRODUCE")) << t.messages;
        ASSERT_TRUE(t.feed(kAnswer, response(3, false, produced(0, 0))));
        ASSERT_TRUE(t.messages.ends_with("< 1\n")) << t.messages << from << " " << n;
      }
    }
    Transcript t;
    ASSERT_TRUE(t.feed(kAsk, ask.substr(0, from)));
    ASSERT_FALSE(t.skip(kAsk, ask.size() - from + 1)) << "it holds the border";
    ASSERT_FALSE(t.feed(kAsk, ask));
    ASSERT_FALSE(t.machine().at_border(kAsk));
    EXPECT_EQ(t.machine().skipped(kAsk).call, 1u);
  }
}

TEST(CallsKafka, GoesOnBehindALostResponse) {
  Transcript t;
  EXPECT_TRUE(t.feed(kAsk, request(1, 4, 6, false, fetch(500, 1))));
  EXPECT_TRUE(t.feed(kAnswer, response(6, false, fetched(0, kRecords)).substr(0, 60)));
  EXPECT_FALSE(t.skip(kAnswer, 1 << 20));
  Token ended;
  EXPECT_TRUE(t.machine().resume(kAnswer, {}, ended));
  EXPECT_TRUE(ended.ends);
  EXPECT_EQ(ended.call, 1u);
  EXPECT_TRUE(t.machine().at_border(kAnswer));
  EXPECT_TRUE(t.feed(kAsk, request(1, 4, 7, false, fetch(500, 1))));
  EXPECT_FALSE(t.skip(kAnswer, 100));  // nothing of it was seen
  EXPECT_TRUE(t.machine().resume(kAnswer, {}, ended));
  EXPECT_EQ(ended.call, 2u);
  EXPECT_TRUE(t.feed(kAsk, request(1, 4, 8, false, fetch(0, 1)) + request(1, 4, 9, false, fetch(0, 1))));
  EXPECT_FALSE(t.skip(kAnswer, 100));
  EXPECT_FALSE(t.machine().resume(kAnswer, {}, ended)) << "two are open";
}

TEST(CallsKafka, ResponsesWithoutTheirRequests) {
  const std::string ask = request(12, 1, 8, false, Bytes().text("g").number(1, 4).text("m"));
  const std::string other = response(7, false, Bytes().number(0, 4).number(27, 2));
  const std::string answer = response(8, false, Bytes().number(0, 4).number(27, 2));
  Transcript early;
  EXPECT_TRUE(early.feed(kAnswer, other));
  EXPECT_EQ(early.messages, "< 0 pushed\n");
  Transcript late(false);
  EXPECT_TRUE(late.feed(kAsk, ask));
  EXPECT_FALSE(late.feed(kAnswer, other)) << "it proves nothing";
  Transcript found(false);
  EXPECT_TRUE(found.feed(kAsk, ask));
  EXPECT_TRUE(found.feed(kAnswer, answer + other));
  EXPECT_EQ(found.messages, "> 1 HEARTBEAT k\n< 1 !REBALANCE_IN_PROGRESS\n< 0 pushed\n");
}

TEST(CallsKafka, NoMoreThanItsLimits) {
  Transcript t;
  for (std::uint32_t i = 0; i < 2 * kMostOpen; ++i)
    ASSERT_TRUE(t.feed(kAsk, request(12, 1, i, false, Bytes().text("g"))));
  t.messages.clear();
  EXPECT_TRUE(t.feed(kAnswer, response(1023, false, {}) + response(1024, false, {}) + response(2047, false, {})));
  EXPECT_EQ(t.messages, "< 0 pushed\n< 1025\n< 2048\n");

  const auto refused = [](Side side, std::string_view bytes) { return !Transcript().feed(side, bytes); };
  EXPECT_TRUE(refused(kAsk, "\x06\x40\x00\x01"sv)) << "more than 100 MiB";
  EXPECT_TRUE(refused(kAsk, "\0\0\0\7"sv));
  EXPECT_TRUE(refused(kAsk, "\0\0\0\x20\0\x70\0\0"sv)) << "no such API";
  EXPECT_TRUE(refused(kAsk, "\0\0\0\x20\0\x12\0\x20"sv)) << "no such version";
  EXPECT_TRUE(refused(kAnswer, "\0\0\0\3"sv));
  EXPECT_TRUE(refused(kAnswer, "\x7f\0\0\0"sv));

  // Lengths and counts beyond the message: what follows is hidden, and the message ends where it ends.
  for (const std::string_view body : {"\x7f\xff"sv, "\x80\0abc"sv, "\0\1a\0\1\0\0\0\0\x7f\xff\xff\xff"sv,
                                      "\xff\xff\0\1\0\0\0\0\0\0\0\1\0\x09"
                                      "abc"sv}) {
    Transcript broken;
    EXPECT_TRUE(broken.feed(kAsk, request(0, 7, 1, false, Bytes().raw(body)) + request(0, 7, 2, false, {})));
    EXPECT_TRUE(broken.messages.ends_with("> 2 PRODUCE\n")) << broken.messages;
  }
  // A code that is none.
  Transcript strange;
  EXPECT_TRUE(strange.feed(kAsk, request(12, 1, 1, false, Bytes().text("g"))));
  EXPECT_TRUE(strange.feed(kAnswer, response(1, false, Bytes().number(0, 4).number(0x1234, 2))));
  EXPECT_TRUE(strange.messages.ends_with("< 1\n"));
}

TEST(CallsKafka, Begins) {
  for (const Talk& talk : {classic(), flexible()})
    for (const Io& io : talk) {
      EXPECT_EQ(begins(io.side, io.bytes), io.side == kAsk) << io.bytes;
      EXPECT_FALSE(begins(io.side, io.bytes.substr(0, 13)));
      if (io.bytes.size() > 20) {
        EXPECT_FALSE(begins(kAsk, io.bytes.substr(0, 20))) << "a part: " << io.bytes;
      }
    }
  const auto begun = [](std::string_view bytes) { return begins(kAsk, bytes); };
  for (const std::string_view bytes :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv, "*1\r\n$4\r\nPING\r\n"sv,
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00\x00"sv,
        // PostgreSQL: a startup message, SSLRequest
        "\0\0\0\x2b\0\3\0\0user\0probe\0database\0probe\0\0\0\0\0\0\0\0"sv, "\0\0\0\x08\x04\xd2\x16\x2f"sv,
        // ZooKeeper: a new session, and one that goes on; getData with a small number
        "\0\0\0\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x75\x30\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv,
        "\0\0\0\x2d\0\0\0\0\0\0\0\1\0\0\0\1\0\0\x75\x30\1\0\x12\x34\x56\x78\x9a\xbc\0\0\0\x10\1\2\3\4\5\6\7\x08"
        "\1\2\3\4\5\6\7\x08\0"sv,
        "\0\0\0\x13\0\0\0\5\0\0\0\4\0\0\0\x06/nodes\0"sv,
        // FastCGI: the beginning of a request
        "\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\x12\0\0"sv,
        // Pulsar, Thrift, AMQP
        "\0\0\0\x19\0\0\0\x15\x08\2\x12\x11\x0a\x0bPulsar-Java\x20\x13"sv,
        "\0\0\0\x11\x80\1\0\1\0\0\0\4ping\0\0\0\0\0"sv, "AMQP\0\0\x09\1"sv})
    EXPECT_FALSE(begun(bytes)) << bytes;
  std::string ask = request(3, 1, 2, false, Bytes().number(0, 4));
  EXPECT_TRUE(begun(ask + ask));
  EXPECT_FALSE(begun(ask + "GET / HTTP/1.1\r\n"));
  ask[15] = '\n';
  EXPECT_FALSE(begun(ask)) << "a client id that cannot be printed";
}

TEST(CallsKafka, Proves) {
  for (const Talk& talk : {classic(), flexible()}) {
    const Transcript whole = read(talk);
    for (std::size_t at = 0; const Io& io : talk) {
      EXPECT_TRUE(proves(io.side, io.bytes, io.bytes.size())) << io.bytes;
      EXPECT_TRUE(proves(io.side, whole.kept.substr(at, io.bytes.size()), io.bytes.size())) << "masked";
      EXPECT_FALSE(proves(io.side, io.bytes.substr(0, io.bytes.size() - 1), io.bytes.size() - 1));
      EXPECT_FALSE(proves(io.side, io.bytes, io.bytes.size() + 1));
      EXPECT_FALSE(proves(io.side, io.bytes.substr(1), io.bytes.size() - 1));
      at += io.bytes.size();
    }
  }
  const std::string ask = request(0, 7, 3, false, produce(1, "orders.eu"));
  EXPECT_TRUE(proves(kAsk, ask.substr(0, 50), ask.size()));
  EXPECT_FALSE(proves(kAsk, ask.substr(0, 4), 4)) << "the reader must join what the broker reads first";
  std::string large = ask;
  large.replace(0, 4, Bytes().number(1 << 20, 4).out);
  EXPECT_TRUE(proves(kAsk, large.substr(0, 60), 65536));
  EXPECT_FALSE(proves(kAsk, large.substr(0, 60), 60));
  EXPECT_TRUE(proves(kAnswer, response(1, false, fetched(0, kRecords)).substr(0, 8), 8)) << "librdkafka reads so";
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes(8 + random() % 60, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (i % 2 == 0) bytes.replace(0, 4, Bytes().number(bytes.size() - 4, 4).out);
    ASSERT_FALSE(proves(kAsk, bytes, bytes.size()));
  }
}

TEST(CallsKafka, CodesAndFaults) {
  EXPECT_EQ(code("\x03"), "UNKNOWN_TOPIC_OR_PARTITION");
  EXPECT_EQ(code("\xff"), "UNKNOWN_SERVER_ERROR");
  EXPECT_EQ(code("\x7f"), "VOTER_NOT_FOUND");
  EXPECT_EQ(code("\xc8"), "200");
  EXPECT_EQ(code(""), "");
  EXPECT_EQ(fault("NOT_ENOUGH_REPLICAS"), Fault::server);
  EXPECT_EQ(fault("UNKNOWN_SERVER_ERROR"), Fault::server);
  EXPECT_EQ(fault("NOT_LEADER_OR_FOLLOWER"), Fault::client);
  EXPECT_EQ(fault("UNKNOWN_TOPIC_OR_PARTITION"), Fault::client);
  EXPECT_EQ(fault("200"), Fault::client);
}

// Damaged talks: sizes stay within the bytes, and what was masked is read like what was whole.
TEST(CallsKafka, DamagedBytes) {
  std::mt19937 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const Talk talk = i % 2 == 0 ? classic() : flexible();
    const auto whole = kafka::machine(true), again = kafka::machine(true);
    for (const Io& io : talk) {
      std::string bytes = io.bytes;
      if (random() % 2 == 0)
        bytes[4 + random() % (bytes.size() - 4)] = static_cast<char>(random() % 4 ? random() % 8 : random());
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
        if (t.part == Part::value) hidden.replace(0, t.size, t.size, '*');
        std::string key = hidden.substr(0, t.size);
        if (t.part == Part::name) mask_name(key, !t.text_ends);
        hidden.replace(0, t.size, key);
        const Token u = again->next(io.side, hidden);
        ASSERT_EQ(u.size, t.size);
        ASSERT_EQ(u.part, t.part);
        ASSERT_EQ(u.field, t.field);
        ASSERT_EQ(u.text_ends, t.text_ends);
        ASSERT_EQ(u.ends, t.ends);
        ASSERT_EQ(u.failed, t.failed);
        ASSERT_EQ(u.unanswered, t.unanswered);
        ASSERT_EQ(u.pushed, t.pushed);
        ASSERT_EQ(u.waits, t.waits);
        ASSERT_EQ(u.call, t.call);
        ASSERT_EQ(u.operation, t.operation);
        rest.remove_prefix(t.size);
      }
    }
  }
}

}  // namespace
}  // namespace tailcap::formats::calls::kafka
