// A piece of one direction of one connection, in byte order, as streams/ hands it to protocols/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "formats/io_terms.h"
#include "formats/time.h"

namespace tailcap::model {

using formats::Direction;
using formats::Duration;
using formats::kNoTime;
using formats::SocketId;
using formats::Time;

// The thread that read or sent, and the goroutine that it ran. goroutine 0: none, or not known.
struct Thread {
  std::uint32_t pid = 0, tid = 0;
  std::uint64_t goroutine = 0;
  bool operator==(const Thread&) const = default;
};

// Number of a connection end (one recorded socket) in order of first appearance in the capture, from 1.
using ConnectionId = std::uint32_t;

// Why facts about a request may be missing or wrong. Bits of a Taints.
enum class Taint : std::uint32_t {
  bytes_lost = 1u << 0,       // stream bytes that no event covers
  payload_cut = 1u << 1,      // needed bytes were moved but not captured (limit, sendfile, fault)
  began_before = 1u << 2,     // the recording started in the middle of it
  cut_off = 1u << 3,          // the recording ended in the middle of it
  arrival_unknown = 1u << 4,  // arrival not seen: it starts when it was read
  events_lost = 1u << 5,      // uncounted to a socket: something was lost while it was under way
  end_inferred = 1u << 6,     // its last byte was inferred from what followed
  clock_step = 1u << 7,       // CLOCK_REALTIME was set while it was under way
  malformed = 1u << 8,        // it broke the protocol's rules; what could be read is kept
  conflict = 1u << 9,         // sources disagree
  fields_unknown =
      1u << 10,         // header fields that refer to ones sent before the recording or lost, or were not captured
  left_out = 1u << 11,  // the share of connections was made smaller: its connection is not recorded from there on
};
using Taints = std::uint32_t;
constexpr Taints operator|(Taints a, Taint b) { return a | static_cast<Taints>(b); }
constexpr bool has(Taints taints, Taint t) { return (taints & static_cast<Taints>(t)) != 0; }

enum class End : std::uint8_t {
  none = 0,
  fin = 1,  // orderly: all bytes of this direction have been seen
  reset = 2,
  error = 3,    // the call or the connection failed otherwise (timed out, …)
  capture = 4,  // the recording ended; the connection went on
};

// Bytes up to stream offset `end` (exclusive) had arrived at `time`.
struct ArrivalMark {
  std::uint64_t end = 0;
  Time time = kNoTime;
};

// length bytes at offset, of which head is the captured beginning and tail the captured end. gap bytes before
// offset were moved but no event covers them. A run with length 0 carries only an End.
//
// Offsets are unwrapped (64 bit). first_known: offset 0 is the first byte of the stream; otherwise the base is
// arbitrary. Views live until the next push into streams.
struct ByteRun {
  ConnectionId connection = 0;
  Direction direction = Direction::in;
  End end = End::none;
  bool first_known = false;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t gap = 0;
  Time done = kNoTime;  // when the read or send returned
  Thread thread;        // read or sent it
  formats::Payload payload = formats::Payload::off;
  Taints taints = 0;
  std::string_view head, tail;
  std::span<const ArrivalMark>
      arrivals;  // direction in: ascending by end, covering what is known of [offset, offset+length)
};

}  // namespace tailcap::model
