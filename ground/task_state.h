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
// The first argument of a stop by the freezer of the unified hierarchy; the second is the thread that froze the cgroup,
// 0: not known. Older recorders leave the arguments of a call there, none of which has this value.
inline constexpr std::uint64_t kFreezerArgument = 0xf4ee'2e00'0000'0000;

// A stop by that freezer. argument0: the first.
constexpr bool is_by_freezer(std::uint32_t state, std::uint64_t argument0) {
  return (state & kTaskFrozen) != 0 && argument0 == kFreezerArgument;
}

}  // namespace tailcap::ground
