// Which processes have a user shadow stack, from x86_Thread_features in /proc/PID/status.
//
// Until the fix of July 2026 ("x86/uprobes: Keep shadow stack in sync for emulated CALLs"), a probe on a call
// instruction ends a process that has a user shadow stack. Such places are therefore probed only while no such process
// is known (see SECURITY.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "capture/host/shadow_stack_support.h"

namespace tailcap::capture {

// Pure: decides from the text of /proc/PID/status.
bool says_shadow_stack(std::string_view status);
// Whether the instruction at the start of code is a call of any kind.
bool begins_with_call(std::string_view code);

class ShadowStacks {
 public:
  // If the kernel has none, no process is looked at.
  explicit ShadowStacks(bool kernel_has_them = symbols::kernel_has_shadow_stacks(), std::string proc = "/proc");

  // False if the process is gone.
  bool in_process(std::uint32_t pid) const;
  bool in_any_process() const;  // 20 µs for each process of the machine

 private:
  const bool kernel_has_them_;
  const std::string proc_;
};

}  // namespace tailcap::capture
