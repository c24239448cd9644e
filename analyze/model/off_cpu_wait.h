// An off-CPU interval of a thread: when it was switched out, woken and switched in, and what it was blocked in. The
// only interpretation of system call numbers and task states that the analysis uses.
#pragma once

#include <cstdint>

#include "analyze/model/label.h"
#include "formats/event_names.h"
#include "formats/thread_event.h"

namespace tailcap::model {

// The operation that the thread was blocked in when it was switched out.
enum class Blocked : std::uint8_t {
  preempted,  // it could have run
  born,       // started, and has not run yet
  throttled,  // it could have run, but its cgroup's quota was used up
  stopped,    // by a signal, a tracer or the freezer
  poll,       // until one of several descriptors is ready
  poll_one,   // until one descriptor is ready
  input,      // reading a descriptor
  output,     // writing one
  accept,
  connect,
  futex,
  file_lock,
  sleep,
  disk,    // uninterruptible, in a file call
  fault,   // uninterruptible, in no call
  kernel,  // uninterruptible, in another call
  other,
};

struct OffCpuWait {
  std::int64_t time = 0;      // switched out; ns of the capture's clock, as runnable and back
  std::int64_t runnable = 0;  // 0: the wake-up was not seen
  std::int64_t back = 0;
  std::int64_t due = 0;         // until when a sleeping thread asked to sleep; of a futex, when a timer ended the wait;
                                // of a poll, its time limit; 0: not known, or none
  std::int64_t stolen = 0;      // ns before `time`, on its CPU, in which the hypervisor ran something else
  std::uint64_t argument0 = 0;  // stopped: the thread that sent the signal, or froze the cgroup; 0: not known
  formats::SocketId socket = 0;  // the call's descriptor refers to it; 0: none, or not recorded
  std::uint64_t goroutine = 0;
  std::uint32_t waker = 0;
  formats::FileKind file = formats::FileKind::unknown;
  Blocked blocked = Blocked::other;
  bool lost_before = false;  // waits of this thread between the one before and this were lost
  bool frozen : 1 = false;   // stopped by the freezer of the unified hierarchy
  bool ongoing : 1 = false;  // the recording ended first; `back` is when
  formats::WokenIn woken_in : 4 = formats::WokenIn::unknown;

  bool woken() const { return runnable != 0; }
  // What arrives from a network wakes threads in soft interrupts, and other threads do it outside interrupts. What is
  // left is timers and some devices.
  bool woken_by_timer() const { return woken() && waker == 0 && woken_in == formats::WokenIn::interrupt; }
  // Until when it waited for what it waited for, as far as is known.
  std::int64_t waited_until() const { return woken() ? runnable : back; }
};

// Event must hold an OffCpu with left <= time.
OffCpuWait off_cpu_wait(const formats::Event& event);
// The label of [time, runnable) where nothing else is known about what it waited for.
Label label_of(const OffCpuWait& wait);

}  // namespace tailcap::model
