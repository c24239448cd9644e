// What a reader says of connections of NATS, and what a capture keeps of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/calls/machine/key_shape.h"
#include "formats/calls/nats/nats.h"

namespace tailcap::formats::calls::nats {

struct Io {
  Side side;
  std::string bytes;
};
using Talk = std::vector<Io>;

inline Io ask(std::string_view bytes) { return {Side::requests, std::string(bytes)}; }
inline Io answer(std::string_view bytes) { return {Side::responses, std::string(bytes)}; }

enum class Keys : std::uint8_t { shape, whole, nothing };

// A line for each message, and the bytes as a capture keeps them.
class Transcript {
 public:
  explicit Transcript(bool from_beginning = true, Keys keys = Keys::shape)
      : machine_(nats::machine(from_beginning)), keys_(keys) {}

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
    if (!machine_->skip(side, n)) return false;
    kept += std::string(static_cast<std::size_t>(n), '*');
    if (machine_->at_border(side)) end(side, machine_->skipped(side));
    return true;
  }
  Machine& machine() { return *machine_; }

  std::string messages, kept, parts;

 private:
  struct Open {
    std::string key, code;
    bool begun = false, in_key = false;
  };

  void add(Side side, const Token& t, std::string_view bytes) {
    Open& open = open_[static_cast<std::size_t>(side)];
    EXPECT_FALSE(t.begins && open.begun);
    open.begun = open.begun || t.begins;
    EXPECT_TRUE(open.begun);
    if (t.field == Field::key) open.key += bytes;
    if (t.field == Field::error_code) open.code += bytes;
    std::string masked(bytes);
    if (t.part == Part::value || (t.part == Part::key && keys_ == Keys::nothing)) masked.assign(bytes.size(), '*');
    if (t.part == Part::key && keys_ == Keys::shape) {
      if (!open.in_key && t.text_ends)
        mask_key(masked, false);
      else
        masked.assign(bytes.size(), '*');
    }
    if (t.field != Field::none || t.text_ends) open.in_key = !t.text_ends;
    kept += masked;
    parts.append(bytes.size(), static_cast<char>('0' + static_cast<int>(t.part)));
    if (t.ends) end(side, t);
  }

  void end(Side side, const Token& t) {
    Open& open = open_[static_cast<std::size_t>(side)];
    EXPECT_NE(t.call, 0u);
    messages += side == Side::requests ? ">" : "<";
    messages += std::to_string(t.call);
    if (!t.operation.empty()) messages += " " + std::string(t.operation);
    // A key that was cut is hidden: a line says only that there is one.
    if (!open.key.empty()) messages += " k" + std::to_string(open.key.size());
    if (t.failed) messages += " !" + open.code;
    if (t.answered != 0) messages += " answers " + std::to_string(t.answered);
    if (t.stored != 0)
      messages += " stored " + std::to_string(places_.try_emplace(t.stored, places_.size() + 1).first->second);
    if (t.stored_at != 0) messages += " at " + std::to_string(t.stored_at);
    for (const auto& [flag, word] : {std::pair{t.turned, " turned"}, std::pair{t.unanswered, " unanswered"},
                                     std::pair{t.pushed, " pushed"}, std::pair{t.waits, " waits"}})
      if (flag) messages += word;
    messages += "\n";
    open = {};
  }

  std::unique_ptr<Machine> machine_;
  Keys keys_;
  Open open_[2];
  std::map<std::uint64_t, std::size_t> places_;  // in the order in which they were named
};

inline Transcript read(const Talk& talk, std::size_t most = std::string_view::npos, bool from_beginning = true,
                       Keys keys = Keys::shape) {
  Transcript t(from_beginning, keys);
  for (const Io& io : talk) EXPECT_TRUE(t.feed(io.side, io.bytes, most)) << io.bytes;
  return t;
}

inline Talk masked(const Talk& talk, const std::string& kept) {
  Talk result;
  std::size_t at = 0;
  for (const Io& io : talk) {
    result.push_back({io.side, kept.substr(at, io.bytes.size())});
    at += io.bytes.size();
  }
  return result;
}

// Cut at every place and into single bytes, and of what is kept of it, a talk has the same messages.
inline void same_everywhere(const Talk& talk, bool from_beginning = true) {
  const Transcript whole = read(talk, std::string_view::npos, from_beginning);
  for (const std::size_t most : {1u, 2u, 3u, 7u}) {
    for (const Keys keys : {Keys::shape, Keys::whole, Keys::nothing}) {
      const Transcript cut = read(talk, most, from_beginning, keys);
      ASSERT_EQ(cut.messages, whole.messages) << most;
      ASSERT_EQ(cut.parts, whole.parts) << most;
      ASSERT_EQ(read(masked(talk, cut.kept), most + 1, from_beginning).messages, whole.messages);
    }
  }
  const Transcript again = read(masked(talk, whole.kept), std::string_view::npos, from_beginning);
  ASSERT_EQ(again.kept, whole.kept);
  ASSERT_EQ(again.messages, whole.messages);
  for (std::size_t i = 0; i < talk.size(); ++i) {
    for (std::size_t at = 1; at < talk[i].bytes.size(); ++at) {
      Transcript cut(from_beginning);
      for (std::size_t j = 0; j < talk.size(); ++j) {
        const std::string_view bytes = talk[j].bytes;
        ASSERT_TRUE(cut.feed(talk[j].side, bytes.substr(0, j == i ? at : bytes.size())));
        ASSERT_TRUE(j != i || cut.feed(talk[j].side, bytes.substr(at)));
      }
      ASSERT_EQ(cut.messages, whole.messages) << i << " " << at;
      ASSERT_EQ(cut.parts, whole.parts) << i << " " << at;
    }
  }
}

}  // namespace tailcap::formats::calls::nats
