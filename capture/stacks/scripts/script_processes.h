// Tells the kernel program which processes run scripts, and where their interpreter's structures are
// (bpf/event_script.h).
#pragma once

#include <cstdint>
#include <unordered_map>

#include "bpf/event.h"

namespace tailcap::capture::stacks {

// Used by one thread.
class ScriptProcesses {
 public:
  explicit ScriptProcesses(int map) : map_(map) {}  // -1: nothing is done

  void set(std::uint32_t pid, bpf::script_process process);  // its number is given here
  void forget(std::uint32_t pid);                            // it runs another program, or none

 private:
  int map_;
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::uint32_t, bpf::script_process> known_;
};

}  // namespace tailcap::capture::stacks
