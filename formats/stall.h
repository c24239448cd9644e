// What delays threads inside the kernel, besides blocking: recorded by cause.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/time.h"

namespace tailcap::formats {

enum class StallKind : std::uint8_t {
  block_io = 0,     // the I/O that it waited for was with the block layer; where: device (minor in the low 20 bits),
                    // detail: bytes
  major_fault = 1,  // a page had to be read; where: its address
  reclaim = 2,      // it had to free memory itself
  kernel_lock = 3,  // it waited for a lock of the kernel; where: the lock, detail: its flags
  fuse = 4,         // a FUSE server had not answered
  writeback = 5,    // it was throttled because too many pages are dirty
  io_throttled =
      6,  // that I/O was delayed by the block layer's throttling, or not submitted yet; where and detail likewise
  peer_window = 7,  // it could not write to a TCP socket, all the while because of the peer's window; where: the socket
  congestion = 8,   // likewise, because the network had not acknowledged enough of what was sent
  interrupt = 9,    // it was on-CPU, and a soft interrupt ran there instead; detail: which
  compaction = 10,  // it had to move memory to get free pages side by side; where: order
  fragmented = 11,  // an instant: free memory of one kind was broken up for another; where: order
  send_full = 12,  // an instant: a send that may not wait found no room for some or all of its bytes; where: the socket
  nagle = 13,  // Nagle's algorithm held bytes of it back from `began` on, until the peer acknowledged what came before;
               // where: the socket, detail: its least round-trip time, µs (0: not known)
  undelivered = 14,  // the kernel had to keep bytes that it sent, until TCP had sent them; where: the socket, detail:
                     // in bits 0 to 6 per cent of the time in which the peer's window was the reason, bit 7: until the
                     // end was acknowledged; from bit 8 on the least round-trip time, µs (0: not known)
  unknown = 255
};
// Its `where` is a socket.
constexpr bool is_of_socket(StallKind what) {
  return what == StallKind::peer_window || what == StallKind::congestion || what == StallKind::send_full ||
         what == StallKind::nagle || what == StallKind::undelivered;
}
// A note of the recording: send_full is recorded.
inline constexpr std::string_view kFullSendsNote = "tailcap.full_sends";
// Event::thread was delayed in [began, Event::time).
struct Stall {
  StallKind what = StallKind::block_io;
  Time began = kNoTime;
  std::uint64_t where = 0;
  std::uint32_t detail = 0;
  bool operator==(const Stall&) const = default;
};

// A reading of a cgroup's CPU quota: counts and sums since the cgroup was made.
struct CpuQuota {
  std::string_view cgroup{};
  Duration period{}, quota{};  // quota 0: none
  std::uint64_t periods = 0, throttled = 0;
  Duration throttled_time{};
  bool operator==(const CpuQuota&) const = default;
};

}  // namespace tailcap::formats
