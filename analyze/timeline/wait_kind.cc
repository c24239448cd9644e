#include "analyze/timeline/wait_kind.h"

#include <array>

namespace tailcap::timeline {
namespace {

using flow::ThreadTime;

// Task state bits (include/linux/sched.h).
constexpr std::uint32_t kUninterruptible = 0x2, kStopped = 0x4, kTraced = 0x8, kPreempted = 0x100, kFrozen = 0x8000;

// x86-64 system call numbers, by what blocking in them means.
enum class Call : std::uint8_t { other, lock, poll, sleep, socket, file };

constexpr std::size_t kCalls = 512;

constexpr std::array<Call, kCalls> calls() {
  std::array<Call, kCalls> table{};
  auto set = [&](Call what, std::initializer_list<int> numbers) {
    for (const int n : numbers) table[static_cast<std::size_t>(n)] = what;
  };
  set(Call::lock, {202, 449, 454, 455, 456});              // futex, futex_waitv, futex_wake, futex_wait, futex_requeue
  set(Call::poll, {7, 23, 232, 270, 271, 281, 426, 441});  // poll, select, epoll_*, pselect6, ppoll, io_uring_enter
  set(Call::sleep, {35, 230});                             // nanosleep, clock_nanosleep
  set(Call::socket, {42, 43, 44, 45, 46, 47, 288, 299, 307});  // connect, accept, send*, recv*, accept4, *mmsg
  set(Call::file, {0,   1,   2,   3,   4,   5,   6,   17,  18,  19,  20,  26,  40,  73,  74,  75,
                   76,  77,  78,  80,  82,  83,  84,  85,  86,  87,  88,  89,  90,  92,  133, 137,
                   138, 161, 162, 217, 221, 257, 258, 262, 263, 264, 265, 266, 267, 268, 269, 275,
                   277, 285, 295, 296, 306, 316, 326, 327, 328, 332, 437, 439});  // read, write, open, …, fsync,
                                                                                  // getdents, splice, copy_file_range,
                                                                                  // statx, openat2
  return table;
}
constexpr auto kCallTable = calls();

}  // namespace

bool preempted(const formats::OffCpu& off) {
  return off.state == 0 || off.state == kPreempted || (known(off.runnable) && off.runnable <= off.left);
}

ThreadTime wait_kind(const formats::OffCpu& off) {
  if (preempted(off)) return ThreadTime::runnable;
  if (off.state & (kStopped | kTraced | kFrozen)) return ThreadTime::stopped;
  const bool uninterruptible = (off.state & kUninterruptible) != 0;
  if (off.syscall < 0) return uninterruptible ? ThreadTime::page_fault : ThreadTime::other;
  const auto n = static_cast<std::size_t>(off.syscall);
  switch (n < kCalls ? kCallTable[n] : Call::other) {
    case Call::lock:
      return ThreadTime::lock;
    case Call::poll:
      return ThreadTime::poll;
    case Call::sleep:
      return ThreadTime::sleep;
    case Call::socket:
      return ThreadTime::socket;
    // Interruptible in read or write: a socket, a pipe, a terminal, FUSE; the record does not say which.
    case Call::file:
      return uninterruptible ? ThreadTime::disk : ThreadTime::other;
    case Call::other:
      break;
  }
  return ThreadTime::other;
}

}  // namespace tailcap::timeline
