#include "analyze/model/off_cpu_wait.h"

#include <algorithm>

#include "formats/event.h"
#include "formats/machine.h"
#include "ground/syscalls.h"
#include "ground/task_state.h"

namespace tailcap::model {
namespace {

using formats::nanoseconds;

// Sleeps that last longer end with the recording.
constexpr std::uint64_t kLongest = 1'000'000'000'000'000, kWithoutLimit = ~std::uint64_t{0};

Blocked call_of(const formats::OffCpu& off) {
  switch (ground::syscall_wait(off.syscall)) {
    case ground::SyscallWait::poll:
      return off.argument1 == 0 ? Blocked::sleep : off.argument1 == 1 ? Blocked::poll_one : Blocked::poll;
    case ground::SyscallWait::readiness:
      return Blocked::poll;
    case ground::SyscallWait::input:
      return Blocked::input;
    case ground::SyscallWait::output:
      return Blocked::output;
    case ground::SyscallWait::accept:
      return Blocked::accept;
    case ground::SyscallWait::connect:
      return Blocked::connect;
    case ground::SyscallWait::futex:
      return Blocked::futex;
    case ground::SyscallWait::file_lock:
      return Blocked::file_lock;
    case ground::SyscallWait::sleep:
      return Blocked::sleep;
    case ground::SyscallWait::other:
      break;
  }
  return Blocked::other;
}

Blocked blocked_in(const formats::OffCpu& off) {
  if (off.state == 0 || off.state == ground::kTaskPreempted)
    return off.throttled ? Blocked::throttled : Blocked::preempted;
  if (off.state & ground::kTaskNew) return Blocked::born;
  if (off.state & (ground::kTaskStopped | ground::kTaskTraced | ground::kTaskFrozen)) return Blocked::stopped;
  if (off.state & ground::kTaskUninterruptible)
    return off.syscall < 0 ? Blocked::fault : ground::is_file_syscall(off.syscall) ? Blocked::disk : Blocked::kernel;
  return off.syscall < 0 ? Blocked::other : call_of(off);
}

// Who stopped the thread. Only its tracer lets a traced one go on. Older recorders left the arguments of a call there.
std::uint32_t stopped_by(const formats::OffCpu& off, formats::Machine machine) {
  if (off.state & ground::kTaskTraced) return off.ongoing ? 0 : off.waker;
  constexpr std::uint64_t kStop = 19, kLast = 22, kThreads = 1u << formats::kMachineOfPid;  // SIGSTOP to SIGTTOU
  const bool told = off.state & ground::kTaskStopped && off.argument0 >= kStop && off.argument0 <= kLast;
  if ((!told && !ground::is_by_freezer(off.state, off.argument0)) || off.argument1 == 0 || off.argument1 >= kThreads)
    return 0;
  return static_cast<std::uint32_t>(off.argument1) | machine << formats::kMachineOfPid;
}

}  // namespace

OffCpuWait off_cpu_wait(const formats::Event& event) {
  const auto& off = std::get<formats::OffCpu>(event.body);
  OffCpuWait w;
  w.time = nanoseconds(off.left);
  w.back = nanoseconds(event.time);
  w.blocked = blocked_in(off);
  if (w.blocked == Blocked::preempted || w.blocked == Blocked::throttled || w.blocked == Blocked::born)
    w.runnable = w.time;
  else if (known(off.runnable))
    w.runnable = std::clamp(nanoseconds(off.runnable), w.time, w.back);
  else if (off.ongoing)
    w.runnable = w.back;
  w.waker = off.waker;
  w.woken_in = off.woken_in;
  w.stolen = std::max<std::int64_t>(0, off.stolen.count());
  if (off.timed && (w.blocked == Blocked::sleep || (w.blocked == Blocked::poll && off.argument1 != kWithoutLimit)))
    w.due = w.time + static_cast<std::int64_t>(std::min<std::uint64_t>(off.argument1, kLongest));
  // Other threads wake a futex outside interrupts. Timers expire in them.
  if (w.blocked == Blocked::futex && w.woken_by_timer()) w.due = w.runnable;
  if (w.blocked == Blocked::other && ground::has_time_limit(off.syscall) && w.woken_by_timer()) {
    w.blocked = Blocked::sleep;
    w.due = w.runnable;
  }
  w.argument0 = off.argument0;
  w.socket = off.socket;
  w.file = off.file;
  w.goroutine = event.goroutine;
  w.lost_before = off.missed > 0;
  w.ongoing = off.ongoing;
  w.frozen = w.blocked == Blocked::stopped && ground::is_by_freezer(off.state, off.argument0);
  if (w.blocked == Blocked::stopped) w.argument0 = stopped_by(off, formats::machine_of(event.thread.tid));
  return w;
}

Label label_of(const OffCpuWait& wait) {
  switch (wait.blocked) {
    case Blocked::preempted:
      return Label::sched_preempted;
    case Blocked::born:
      return Label::sched_runq;
    case Blocked::throttled:
      return Label::sched_throttled;
    case Blocked::stopped:
      return Label::sched_stopped;
    case Blocked::futex:
      return Label::lock_futex;
    case Blocked::file_lock:
      return Label::lock_file;
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
        case formats::FileKind::log:
          return Label::io_log;
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

}  // namespace tailcap::model
