#include "capture/stacks/scripts/script_processes.h"

#include <bpf/bpf.h>

#include <cstring>

namespace tailcap::capture::stacks {

void ScriptProcesses::set(std::uint32_t pid, bpf::script_process process) {
  if (map_ < 0) return;
  const auto known = known_.find(pid);
  process.number = known == known_.end() ? 0 : known->second.number;
  if (known == known_.end() || std::memcmp(&known->second, &process, sizeof process) != 0)
    process.number = ++last_number_;
  known_[pid] = process;
  if (bpf_map_update_elem(map_, &pid, &process, BPF_ANY) != 0) forget(pid);
}

void ScriptProcesses::forget(std::uint32_t pid) {
  if (known_.erase(pid) > 0) bpf_map_delete_elem(map_, &pid);
}

}  // namespace tailcap::capture::stacks
