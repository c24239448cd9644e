// Bits of a task's state (include/linux/sched.h). 0: it can run.
#pragma once

#include <cstdint>

namespace tailcap::ground {

inline constexpr std::uint32_t kTaskUninterruptible = 0x2;
inline constexpr std::uint32_t kTaskStopped = 0x4;
inline constexpr std::uint32_t kTaskTraced = 0x8;
inline constexpr std::uint32_t kTaskPreempted = 0x100;  // TASK_REPORT_MAX, as sched_switch reports it
inline constexpr std::uint32_t kTaskNew = 0x800;        // it has not run yet
inline constexpr std::uint32_t kTaskFrozen = 0x8000;

}  // namespace tailcap::ground
