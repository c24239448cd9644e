// One connection that is redacted: takes its streams and returns what the copy would have of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/redact/wire/gate.h"
#include "formats/event.h"

namespace tailcap::redact::wire {

using formats::Direction;
using formats::Io;

inline const std::string kKey = "0123456789abcdef";

// The bytes of one I/O, of which the first `head` and the last `tail` are visible, and what is left of them.
struct Left {
  std::string head, tail;
};
inline Left redacted(RedactionGate& gate, std::uint64_t socket, Direction way, std::uint32_t position,
                     std::string_view bytes, std::size_t head, std::size_t tail) {
  Io io;
  io.socket = socket;
  io.direction = way;
  io.payload = formats::Payload::captured;
  io.position = position;
  io.length = static_cast<std::uint32_t>(bytes.size());
  io.head = bytes.substr(0, head);
  io.tail = bytes.substr(bytes.size() - tail);
  formats::Event event;
  event.body = io;
  gate.take(event);
  const Io& out = std::get<Io>(event.body);
  EXPECT_EQ(out.length, bytes.size());
  EXPECT_LE(out.head.size(), head);
  EXPECT_LE(out.tail.size(), tail);
  return {std::string(out.head), std::string(out.tail)};
}

class Passage {
 public:
  static constexpr std::uint64_t kSocket = 7;
  static constexpr std::uint32_t kFirst = 0xfffffff0;  // the numbers wrap in the middle

  explicit Passage(RedactionLevel level = RedactionLevel::standard, formats::Origin origin = formats::Origin::accepted)
      : Passage(RedactionPolicy(level), origin) {}
  explicit Passage(const RedactionPolicy& rules, formats::Origin origin = formats::Origin::accepted)
      : policy(rules), names(kKey), gate(HeaderList(policy, names)) {
    formats::SocketInfo info;
    info.socket = kSocket;
    info.family = formats::Family::inet;
    info.origin = origin;
    info.state = formats::TcpState::established;
    info.next_out = info.next_in = kFirst;
    formats::Event event;
    event.body = info;
    gate.take(event);
  }
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

  Left part(Direction way, std::string_view bytes, std::size_t head, std::size_t tail) {
    std::uint32_t& at = next[static_cast<std::size_t>(way)];
    Left left = redacted(gate, kSocket, way, kFirst + at, bytes, head, tail);
    at += static_cast<std::uint32_t>(bytes.size());
    return left;
  }
  // Everything is visible. What is removed at the end is filled with dots, so that positions stay.
  std::string io(Direction way, std::string_view bytes) {
    std::string out = part(way, bytes, bytes.size(), 0).head;
    out.resize(bytes.size(), '.');
    return out;
  }
  std::string in(std::string_view bytes) { return io(Direction::in, bytes); }
  std::string out(std::string_view bytes) { return io(Direction::out, bytes); }
  // In two I/Os, and in one for each byte.
  std::string cut(Direction way, std::string_view bytes, std::size_t at) {
    const std::string first = io(way, bytes.substr(0, at));
    return first + io(way, bytes.substr(at));
  }
  std::string bytewise(Direction way, std::string_view bytes) {
    std::string all;
    for (const char& c : bytes) all += io(way, std::string_view(&c, 1));
    return all;
  }
  void lose(Direction way, std::size_t n) { next[static_cast<std::size_t>(way)] += static_cast<std::uint32_t>(n); }

  std::string word(std::string_view text) { return names.text(text, policy.strict() ? Words::none : Words::kept); }

  RedactionPolicy policy;
  Pseudonyms names;
  RedactionGate gate;
  std::uint32_t next[2] = {0, 0};
};

}  // namespace tailcap::redact::wire
