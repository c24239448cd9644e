// One connection that passes the gate: takes its streams and returns what the capture would keep of them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "capture/mask/gate.h"
#include "formats/event.h"

namespace tailcap::capture::mask {

using formats::Direction;
using formats::Io;

inline constexpr std::uint64_t kSocket = 7;
inline constexpr std::uint32_t kFirst = 0xfffffff0;  // the numbers wrap in the middle

class Passage {
 public:
  explicit Passage(const Keep& keep = {}, formats::Origin origin = formats::Origin::accepted,
                   formats::TcpState state = formats::TcpState::established)
      : gate(keep) {
    formats::SocketInfo info;
    info.socket = kSocket;
    info.family = formats::Family::inet;
    info.origin = origin;
    info.state = state;
    if (state == formats::TcpState::established) info.next_out = info.next_in = kFirst;
    gate.begin(info);
  }

  // The next bytes of a direction as one I/O; the first `head` and the last `tail` bytes are visible.
  struct Left {
    std::string head, tail;
  };
  Left part(Direction way, std::string_view bytes, std::size_t head, std::size_t tail) {
    Io io;
    io.socket = kSocket;
    io.direction = way;
    io.payload = formats::Payload::captured;
    io.position = kFirst + next[static_cast<std::size_t>(way)];
    io.length = static_cast<std::uint32_t>(bytes.size());
    io.head = bytes.substr(0, head);
    io.tail = bytes.substr(bytes.size() - tail);
    formats::Event event;
    event.body = io;
    gate.take(event);
    next[static_cast<std::size_t>(way)] += io.length;
    const Io& out = std::get<Io>(event.body);
    EXPECT_EQ(out.length, io.length);
    EXPECT_LE(out.head.size(), head);
    EXPECT_LE(out.tail.size(), tail);
    return {std::string(out.head), std::string(out.tail)};
  }
  // Everything is visible. What the gate removes at the end is filled with dots, so that positions stay.
  std::string io(Direction way, std::string_view bytes) {
    std::string out = part(way, bytes, bytes.size(), 0).head;
    out.resize(bytes.size(), '.');
    return out;
  }
  std::string in(std::string_view bytes) { return io(Direction::in, bytes); }
  std::string out(std::string_view bytes) { return io(Direction::out, bytes); }
  // In I/Os that end at the cuts.
  std::string cut(Direction way, std::string_view bytes, const std::vector<std::size_t>& cuts) {
    std::string all;
    std::size_t at = 0;
    for (const auto end : cuts) {
      if (end <= at || end >= bytes.size()) continue;
      all += io(way, bytes.substr(at, end - at));
      at = end;
    }
    return all + io(way, bytes.substr(at));
  }
  // A program of the kernel added bytes to the last I/O.
  void add(Direction way, std::uint32_t n) {
    Io io;
    io.socket = kSocket;
    io.direction = way;
    io.payload = formats::Payload::added;
    io.position = kFirst + next[static_cast<std::size_t>(way)];
    io.length = n;
    formats::Event event;
    event.body = io;
    gate.take(event);
    next[static_cast<std::size_t>(way)] += n;
  }
  void lose(Direction way, std::size_t n) { next[static_cast<std::size_t>(way)] += static_cast<std::uint32_t>(n); }

  Gate gate;
  std::uint32_t next[2] = {0, 0};
};

}  // namespace tailcap::capture::mask
