// What happened to threads and processes.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/io_terms.h"
#include "formats/time.h"

namespace tailcap::formats {

// Where the kernel made a thread runnable: the waker is meant only in `thread`.
enum class WokenIn : std::uint8_t {
  unknown = 0,
  thread = 1,
  soft_interrupt = 2,  // on behalf of a device, a timer or a peer, whatever thread it interrupted
  interrupt = 3,
};

// Event::thread was off-CPU from left to Event::time.
//
// A preempted thread stays runnable: runnable == left. If the thread was woken at runnable, it was blocked for [left,
// runnable) and its run-queue latency is [runnable, time). If the wake-up was not seen, runnable == kNoTime.
struct OffCpu {
  Time left = kNoTime;
  Time runnable = kNoTime;
  std::uint32_t waker = 0;    // tid that made it runnable; 0: unknown or interrupt
  std::uint32_t state = 0;    // task state bits at the switch: 0 running, 1 S, 2 D, …; 256 preempted in the kernel
  std::int16_t syscall = -1;  // blocked in; -1: in none
  std::uint16_t missed = 0;   // off-CPU intervals of this thread lost since the last one seen
  std::uint64_t argument0 =
      0;  // the call's first arguments: descriptor, futex address, …; stopped by a signal (state 4): which,
  std::uint64_t argument1 = 0;        // … and the thread that sent it; 0: not known, the kernel
  bool throttled = false;             // its cgroup's CPU quota was used up; only where it was off-CPU and runnable
  SocketId socket = 0;                // the socket that argument0's descriptor refers to; 0: none, or not looked up
  FileKind file = FileKind::unknown;  // the kind of file that the descriptor refers to
  bool timed = false;                 // argument1 is for how many ns after left it asked to sleep
  bool ongoing = false;               // the recording ended, not the interval; Event::time is when
  WokenIn woken_in = WokenIn::unknown;
  // The part of its time on the CPU before left in which the hypervisor ran something else. Below 0.2 ms it is 0.
  Duration stolen{};
  bool operator==(const OffCpu&) const = default;
};

// Event::thread was started by parent. A new process where pid == tid.
struct TaskStart {
  Thread parent{};
  std::string_view comm{};
  bool operator==(const TaskStart&) const = default;
};

struct TaskExec {
  std::string_view comm{};
  std::string_view filename{};
  bool operator==(const TaskExec&) const = default;
};

// The kernel chose process Event::thread.pid to be killed, because memory was short.
struct OomKill {
  bool operator==(const OomKill&) const = default;
};

struct TaskExit {
  std::int32_t code = 0;  // as wait(2) gives it
  bool operator==(const TaskExit&) const = default;
};

// A thread that exists, from /proc; in keyframes, soon after exec, and where it takes another name (then with comm
// alone). Fields that could not be read are empty.
struct TaskInfo {
  std::uint32_t parent_pid = 0;
  std::string_view comm{};
  std::string_view command_line{};  // arguments joined by spaces; only where pid == tid
  std::string_view executable{};
  std::string_view cgroup{};
  Time started = kNoTime;  // of the thread; of a main thread, of its process
  // What the process runs, where its executable does not say it: the script, module or class of an interpreter, or
  // the name that a user gave it. Empty: comm is its name.
  std::string_view service{};
  bool operator==(const TaskInfo&) const = default;
};

// An executable mapping of process Event::thread.pid.
struct Mapping {
  std::uint64_t start = 0, end = 0, file_offset = 0;
  std::string_view path{};
  std::string_view build_id{};  // raw bytes; empty: none
  bool operator==(const Mapping&) const = default;
};

}  // namespace tailcap::formats
