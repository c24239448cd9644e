#include "analyze/flow/off_cpu_wait.h"

#include <algorithm>

#include "formats/machine.h"

namespace tailcap::flow {
namespace {

using formats::nanoseconds;

// Task state bits (include/linux/sched.h).
constexpr std::uint32_t kUninterruptible = 0x2, kStopped = 0x4, kTraced = 0x8, kPreempted = 0x100, kFrozen = 0x8000;

// x86-64 numbers of the calls in which a thread waits.
Blocked call_of(const formats::OffCpu& off) {
  switch (off.syscall) {
    case 7:
    case 271:  // poll, ppoll: the second argument is how many descriptors
      return off.argument1 == 0 ? Blocked::sleep : off.argument1 == 1 ? Blocked::poll_one : Blocked::poll;
    case 23:
    case 270:  // select, pselect6
    case 232:
    case 281:
    case 441:  // epoll_wait, epoll_pwait, epoll_pwait2
    case 426:
    case 208:  // io_uring_enter, io_getevents
      return Blocked::poll;
    case 0:
    case 19:
    case 45:
    case 47:
    case 299:
      return Blocked::input;  // read, readv, recv…
    case 1:
    case 20:
    case 40:
    case 44:
    case 46:
    case 307:
      return Blocked::output;  // write, writev, sendfile, send…
    case 43:
    case 288:
      return Blocked::accept;
    case 42:
      return Blocked::connect;
    case 202:
    case 449:
    case 455:
      return Blocked::futex;
    case 35:
    case 230:
      return Blocked::sleep;
    default:
      return Blocked::other;
  }
}

// Calls on files that wait uninterruptibly for what they do: read, write, open, stat, fsync, rename, …
bool of_files(int syscall) {
  constexpr int calls[] = {0,   1,   2,   3,   4,   5,   6,   17,  18,  19,  20,  26,  40,  73,  74,
                           75,  76,  77,  78,  80,  82,  83,  84,  85,  86,  87,  88,  89,  90,  92,
                           133, 137, 138, 161, 162, 217, 221, 257, 258, 262, 263, 264, 265, 266, 267,
                           268, 269, 275, 277, 285, 295, 296, 306, 316, 326, 327, 328, 332, 437, 439};
  return std::binary_search(std::begin(calls), std::end(calls), syscall);
}

Blocked blocked_in(const formats::OffCpu& off) {
  if (off.state == 0 || off.state == kPreempted) return off.throttled ? Blocked::throttled : Blocked::preempted;
  if (off.state & (kStopped | kTraced | kFrozen)) return Blocked::stopped;
  if (off.state & kUninterruptible)
    return off.syscall < 0 ? Blocked::fault : of_files(off.syscall) ? Blocked::disk : Blocked::kernel;
  return off.syscall < 0 ? Blocked::other : call_of(off);
}

// Older recorders left the arguments of a call there.
std::uint32_t stopped_by(const formats::OffCpu& off, formats::Machine machine) {
  constexpr std::uint64_t kStop = 19, kLast = 22, kThreads = 1u << formats::kMachineOfPid;  // SIGSTOP to SIGTTOU
  const bool told =
      off.state & kStopped && off.argument0 >= kStop && off.argument0 <= kLast && off.argument1 < kThreads;
  if (!told || off.argument1 == 0) return 0;
  return static_cast<std::uint32_t>(off.argument1) | machine << formats::kMachineOfPid;
}

}  // namespace

OffCpuWait off_cpu_wait(const formats::Event& event) {
  const auto& off = std::get<formats::OffCpu>(event.body);
  OffCpuWait w;
  w.time = nanoseconds(off.left);
  w.back = nanoseconds(event.time);
  w.blocked = blocked_in(off);
  if (w.blocked == Blocked::preempted || w.blocked == Blocked::throttled)
    w.runnable = w.time;
  else if (known(off.runnable))
    w.runnable = std::clamp(nanoseconds(off.runnable), w.time, w.back);
  w.waker = off.waker;
  w.argument0 = off.argument0;
  w.socket = off.socket;
  w.file = off.file;
  w.goroutine = event.goroutine;
  w.lost_before = off.missed > 0;
  if (w.blocked == Blocked::stopped) w.argument0 = stopped_by(off, formats::machine_of(event.thread.tid));
  return w;
}

Label label_of(const OffCpuWait& wait) {
  switch (wait.blocked) {
    case Blocked::preempted:
      return Label::sched_preempted;
    case Blocked::throttled:
      return Label::sched_throttled;
    case Blocked::stopped:
      return Label::sched_stopped;
    case Blocked::futex:
      return Label::lock_futex;
    case Blocked::sleep:
      return Label::timer_sleep;
    case Blocked::disk:
      return Label::io_blocked;
    case Blocked::fault:
    case Blocked::kernel:
      return Label::blocked_kernel;
    case Blocked::accept:
    case Blocked::connect:
      return Label::net_unknown_socket;
    case Blocked::input:
    case Blocked::output:
      switch (wait.file) {
        case formats::FileKind::pipe:
          return Label::io_pipe;
        case formats::FileKind::terminal:
          return Label::io_tty;
        case formats::FileKind::socket:
          return Label::net_unknown_socket;
        case formats::FileKind::regular:
        case formats::FileKind::directory:
          return Label::io_fs;
        case formats::FileKind::timerfd:
          return Label::timer_sleep;
        default:
          return Label::blocked_unknown;
      }
    case Blocked::poll:
    case Blocked::poll_one:
    case Blocked::other:
      break;
  }
  return Label::blocked_unknown;
}

}  // namespace tailcap::flow
