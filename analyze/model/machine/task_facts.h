// Processes and threads of a capture, with numbers that are never used again, and what the threads did.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/time.h"

namespace tailcap::model {

using Upid = std::uint32_t;  // from 1; 0: not known
using Utid = std::uint32_t;  // likewise

struct ProcessFacts {
  Upid upid = 0;
  std::uint32_t pid = 0;
  Upid parent = 0;
  std::string name, command_line, executable, cgroup;  // empty: not known
  std::string service;                                 // what an interpreter runs; then it is the name, too
  formats::Time start = formats::kNoTime, end = formats::kNoTime;
  std::int32_t exit_code = 0;  // as wait(2) gives it; meaningful where end is known
};

struct ThreadFacts {
  Utid utid = 0;
  std::uint32_t tid = 0;
  Upid process = 0;
  bool main = false;
  std::string name;
  formats::Time start = formats::kNoTime, end = formats::kNoTime;
};

// A thread on a CPU, or off it for one reason.
struct ThreadInterval {
  Utid utid = 0;
  std::int64_t from = 0, to = 0;  // ns of the capture's clock
  std::string_view state;         // as ps and Perfetto name it: "Running", "R", "R+", "S", "D", …
  std::string_view function;   // the kind of system call that it was blocked in: "futex", …; empty: none, not known
  std::string_view wait;       // name of the label; empty: not known
  Utid waker = 0;              // of R: who made it runnable
  int irq = -1;                // of R: 1: it was woken in an interrupt, 0: by a thread; -1: not known
  bool throttled = false;      // its cgroup's CPU quota was used up
  bool runnable_known = true;  // false: when it became runnable was not seen
  bool ongoing = false;        // the recording ended first
  std::uint64_t goroutine = 0;
};

}  // namespace tailcap::model
