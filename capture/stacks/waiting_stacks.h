// The stacks of threads that wait as the recording ends.
//
// No kernel program can read the memory of a thread that does not run without waiting for it, so this is done here: an
// opener (capture/scan), which can be abandoned, copies the end of the stack, and it is walked by the tables that the
// kernel program has. Only addresses of code are kept of the copy. A thread that ran on meanwhile has no stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "capture/scan/processes.h"
#include "capture/stacks/code_files.h"

namespace tailcap::capture::stacks {

using Bytes = std::vector<std::byte>;

// The processes of a list, each with an address of its code.
std::map<std::uint32_t, std::uint64_t> waiting_code(const Bytes& listed);
// The kernel program walks the stacks of the process by tables.
bool has_tables(const StackMaps& maps, std::uint32_t pid);

// list: what the kernel program list_waiting says now (bpf/sched/waiting.bpf.c). Returns records like those of
// samples. Takes half a second at most, where a process does not answer; then the stacks of others are missing.
std::vector<Bytes> waiting_stacks(const scan::Processes& processes, const StackMaps& maps,
                                  const std::function<Bytes()>& list);

}  // namespace tailcap::capture::stacks
