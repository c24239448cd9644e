// Frames of AMQP 0-9-1 by hand, and what the machine says of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/calls/amqp/amqp.h"

namespace tailcap::formats::calls::amqp {

struct Io {
  Side side;
  std::string bytes;
};
using Talk = std::vector<Io>;

inline Io ask(std::string bytes) { return {Side::requests, std::move(bytes)}; }
inline Io answer(std::string bytes) { return {Side::responses, std::move(bytes)}; }

inline std::string big_endian(std::uint64_t n, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(n >> (8 * i) & 0xff);
  return out;
}
inline std::string number2(std::uint64_t n) { return big_endian(n, 2); }
inline std::string number4(std::uint64_t n) { return big_endian(n, 4); }
inline std::string number8(std::uint64_t n) { return big_endian(n, 8); }
inline std::string bits(unsigned n) { return std::string(1, static_cast<char>(n)); }
inline std::string short_text(std::string_view text) { return big_endian(text.size(), 1) + std::string(text); }
inline std::string long_text(std::string_view text) { return number4(text.size()) + std::string(text); }
inline const std::string kNoTable = number4(0);

inline std::string frame(unsigned type, unsigned channel, std::string_view payload) {
  return bits(type) + number2(channel) + number4(payload.size()) + std::string(payload) + '\xce';
}
inline std::string method(unsigned channel, unsigned group, unsigned id, std::string_view arguments = "") {
  return frame(1, channel, number2(group) + number2(id) + std::string(arguments));
}
inline std::string content_header(unsigned channel, std::uint64_t size,
                                  std::string_view properties = "\x80\0\x04json") {
  return frame(2, channel, number2(60) + number2(0) + number8(size) + std::string(properties));
}
inline std::string content(unsigned channel, std::string_view body, std::size_t most = 100'000) {
  std::string out = content_header(channel, body.size(), std::string_view("\x80\0\x04json", 7));
  for (; !body.empty(); body.remove_prefix(std::min(most, body.size()))) out += frame(3, channel, body.substr(0, most));
  return out;
}

inline std::string publish_method(unsigned channel, std::string_view exchange, std::string_view key, bool mandatory) {
  return method(channel, 60, 40, number2(0) + short_text(exchange) + short_text(key) + bits(mandatory));
}
inline std::string publish(unsigned channel, std::string_view exchange, std::string_view key, std::string_view body,
                           bool mandatory = false) {
  return publish_method(channel, exchange, key, mandatory) + content(channel, body);
}
inline std::string deliver(unsigned channel, std::uint64_t tag, std::string_view body = "secret",
                           std::string_view consumer = "ctag1.secret") {
  return method(channel, 60, 60,
                short_text(consumer) + number8(tag) + bits(0) + short_text("exchange") + short_text("key.1")) +
         content(channel, body);
}
inline std::string ack(unsigned channel, std::uint64_t tag, bool multiple = false) {
  return method(channel, 60, 80, number8(tag) + bits(multiple));
}
inline std::string nack(unsigned channel, std::uint64_t tag, unsigned how = 0) {
  return method(channel, 60, 120, number8(tag) + bits(how));
}
inline std::string reject(unsigned channel, std::uint64_t tag, bool requeue = true) {
  return method(channel, 60, 90, number8(tag) + bits(requeue));
}
inline std::string close(unsigned channel, unsigned code, unsigned group = 0, unsigned id = 0) {
  return method(channel, channel == 0 ? 10 : 20, channel == 0 ? 50 : 40,
                number2(code) + short_text("secret reason") + number2(group) + number2(id));
}
inline std::string open(unsigned channel) { return method(channel, 20, 10, short_text("")); }
inline std::string opened(unsigned channel) { return method(channel, 20, 11, long_text("")); }
inline std::string declare(unsigned channel, std::string_view queue, unsigned how = 0) {
  return method(channel, 50, 10, number2(0) + short_text(queue) + bits(how) + long_text("secret arguments"));
}
inline std::string declared(unsigned channel) {
  return method(channel, 50, 11, short_text("q.secret") + number4(7) + number4(1));
}
inline std::string consume(unsigned channel, std::string_view queue, bool no_ack, std::string_view tag = "") {
  return method(channel, 60, 20, number2(0) + short_text(queue) + short_text(tag) + bits(no_ack ? 2 : 0) + kNoTable);
}
inline std::string consumed(unsigned channel) { return method(channel, 60, 21, short_text("ctag1.secret")); }
inline std::string confirm(unsigned channel) { return method(channel, 85, 10, bits(0)); }
inline std::string confirmed(unsigned channel) { return method(channel, 85, 11); }
inline std::string get(unsigned channel, std::string_view queue) {
  return method(channel, 60, 70, number2(0) + short_text(queue) + bits(0));
}
inline std::string got(unsigned channel, std::uint64_t tag, std::string_view body) {
  return method(channel, 60, 71,
                number8(tag) + bits(0) + short_text("e.secret") + short_text("k.secret") + number4(3)) +
         content(channel, body);
}
inline std::string returned(unsigned channel, std::string_view key, std::string_view body) {
  return method(channel, 60, 50, number2(312) + short_text("secret reason") + short_text("") + short_text(key)) +
         content(channel, body);
}

// What the machine says of a connection: a line for each message, and the bytes as a capture keeps them.
class Transcript {
 public:
  explicit Transcript(bool from_beginning = true) : machine_(amqp::machine(from_beginning)) {}

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
  bool ask(std::string_view bytes) { return feed(Side::requests, bytes); }
  bool answer(std::string_view bytes) { return feed(Side::responses, bytes); }
  bool skip(Side side, std::uint64_t n) {
    if (!machine_->skip(side, n)) return false;
    if (open_[static_cast<std::size_t>(side)].begun && machine_->at_border(side)) end(side, machine_->skipped(side));
    return true;
  }
  Machine& machine() { return *machine_; }

  std::string messages, kept;

 private:
  struct Open {
    std::string keys, code;
    bool begun = false, key = false;
  };

  void add(Side side, const Token& t, std::string_view bytes) {
    Open& open = open_[static_cast<std::size_t>(side)];
    EXPECT_FALSE(t.begins && open.begun);
    open.begun = open.begun || t.begins;
    if (t.field == Field::key) {
      if (!open.key) open.keys += ' ';
      open.keys.append(bytes.size(), 'k');
      open.key = !t.text_ends;
    }
    if (t.field == Field::error_code) open.code += bytes;
    const char hidden = t.part == Part::key || t.part == Part::name ? '?' : '*';
    kept += t.part == Part::framing ? std::string(bytes) : std::string(bytes.size(), hidden);
    if (!t.ends) return;
    EXPECT_TRUE(open.begun);
    end(side, t);
  }

  void end(Side side, const Token& t) {
    Open& open = open_[static_cast<std::size_t>(side)];
    EXPECT_GT(t.call, 0u);
    // Numbers of messages that belong to no call say nothing.
    messages += side == Side::requests ? ">" : "<";
    if (t.turned) messages += "turned ";
    if (!t.operation.empty()) messages += std::string(t.operation) + open.keys + " ";
    messages += t.pushed ? "pushed" : std::to_string(t.call);
    for (std::uint32_t call = machine_->further_call(); call > 0; call = machine_->further_call())
      messages += "," + std::to_string(call);
    if (t.failed) messages += " !" + code(open.code);
    if (t.unanswered) messages += " unanswered";
    messages += "\n";
    open = {};
  }

  std::unique_ptr<Machine> machine_;
  std::array<Open, 2> open_;
};

inline Transcript read(const Talk& talk, std::size_t most = std::string_view::npos) {
  Transcript t;
  for (const Io& io : talk) EXPECT_TRUE(t.feed(io.side, io.bytes, most)) << t.messages;
  return t;
}

// Cut at every place and into pieces, and of what is kept of it, a talk has the same messages.
inline void same_everywhere(const Talk& talk) {
  const Transcript whole = read(talk);
  for (const std::size_t most : {1u, 2u, 3u, 7u}) {
    const Transcript cut = read(talk, most);
    ASSERT_EQ(cut.messages, whole.messages) << most;
    ASSERT_EQ(cut.kept, whole.kept) << most;
  }
  Talk masked = talk;
  std::size_t at = 0;
  for (Io& io : masked) {
    io.bytes = whole.kept.substr(at, io.bytes.size());
    at += io.bytes.size();
  }
  for (const std::size_t most : {std::string_view::npos, std::size_t{1}}) {
    const Transcript again = read(masked, most);
    ASSERT_EQ(again.kept, whole.kept);
    ASSERT_EQ(again.messages, whole.messages);
  }
  for (std::size_t i = 0; i < talk.size(); ++i) {
    for (std::size_t cut = 1; cut < talk[i].bytes.size(); ++cut) {
      Transcript t;
      for (std::size_t j = 0; j < talk.size(); ++j) {
        const std::string_view bytes = talk[j].bytes;
        ASSERT_TRUE(t.feed(talk[j].side, bytes.substr(0, j == i ? cut : bytes.size())));
        ASSERT_TRUE(j != i || t.feed(talk[j].side, bytes.substr(cut)));
      }
      ASSERT_EQ(t.messages, whole.messages) << i << " " << cut;
      ASSERT_EQ(t.kept, whole.kept) << i << " " << cut;
    }
  }
}

}  // namespace tailcap::formats::calls::amqp
