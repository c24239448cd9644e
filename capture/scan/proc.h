// Reads /proc for a process, as far as no process can delay that (the rest: process_text.h). Processes end at any
// moment: what cannot be read is empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/time.h"

namespace tailcap::capture {

struct ProcessFacts {
  std::uint32_t parent_pid = 0;
  std::string comm;
  std::string cgroup;                        // of several hierarchies, the path that says most (host/quota.h)
  formats::Time started = formats::kNoTime;  // in clock ticks, a resolution of 10 ms
};
ProcessFacts process_facts(std::uint32_t pid);

// How a process is known where it runs itself.
struct OwnIdentity {
  std::uint32_t pid = 0;   // in the innermost pid namespace; 0: not known
  std::uint32_t user = 0;  // effective
};
OwnIdentity own_identity(std::uint32_t pid);

// Finds the file that a shell would start; empty: there is none.
std::string find_command(const std::string& command);
// The programs named in a script's first line; empty: not a script.
std::vector<std::string> interpreters(const std::string& path);

// Threads are not processes: users and the kernel may give either number. 0: there is none.
std::uint32_t process_of_thread(std::uint32_t tid);

bool process_exists(std::uint32_t pid);  // false where all its threads have ended

struct ProcessMemory {
  std::uint64_t resident = 0;   // bytes
  std::uint64_t anonymous = 0;  // of these, those of no file and not shared
};
std::optional<ProcessMemory> process_memory(const std::string& process);  // a pid, or "self"

struct OwnCost {
  std::uint64_t cpu_ns = 0;
  std::uint64_t resident = 0;
};
OwnCost own_cost();
std::uint64_t own_cpu_time();  // ns, of all threads

}  // namespace tailcap::capture
