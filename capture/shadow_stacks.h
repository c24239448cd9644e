// Who has a user shadow stack, by x86_Thread_features in /proc/PID/status.
//
// Until the fix of July 2026 ("x86/uprobes: Keep shadow stack in sync for emulated CALLs") a probe on a call
// instruction ends a process that has one. So such places are probed only while no process is known that has one (see
// SECURITY.md).
#pragma once

#include <cstdint>
#include <string_view>

namespace tailcap::capture {

// Pure: the text of /proc/PID/status in, an answer out.
bool says_shadow_stack(std::string_view status);
// Whether the instruction at the start of code is a call of any kind.
bool begins_with_call(std::string_view code);
// Of a process that is gone: false.
bool has_shadow_stack(std::uint32_t pid);
bool any_process_has_shadow_stack();  // 20 µs for each process of the machine

}  // namespace tailcap::capture
