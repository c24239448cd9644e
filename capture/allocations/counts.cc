#include "capture/allocations/counts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace tailcap::capture {

const std::vector<AllocationCounts::Change>& AllocationCounts::read() {
  changes_.clear();
  if (map_ < 0) return changes_;
  values_.resize(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  std::uint32_t pid = 0;
  for (int error = bpf_map_get_next_key(map_, nullptr, &pid); error == 0;
       error = bpf_map_get_next_key(map_, &pid, &pid)) {
    if (bpf_map_lookup_elem(map_, &pid, values_.data()) != 0) continue;
    const auto [known, fresh] = known_.try_emplace(pid);
    if (fresh) changes_.push_back({pid, 0, 0, 0});
    for (std::size_t i = 0; i < ALLOCATION_CLASSES; i++) {
      std::uint64_t count = 0, bytes = 0;
      for (const auto& value : values_) {
        count += value.count[i];
        bytes += value.bytes[i];
      }
      const std::uint64_t least = i == 0 ? 0 : std::uint64_t{1} << (i - 1);
      if (count > known->second.count[i])
        changes_.push_back({pid, least, count - known->second.count[i], bytes - known->second.bytes[i]});
      known->second.count[i] = count;
      known->second.bytes[i] = bytes;
    }
  }
  return changes_;
}

void AllocationCounts::keep(const std::unordered_set<std::uint32_t>& processes) {
  for (auto known = known_.begin(); known != known_.end();) {
    if (processes.contains(known->first)) {
      ++known;
      continue;
    }
    bpf_map_delete_elem(map_, &known->first);
    known = known_.erase(known);
  }
}

}  // namespace tailcap::capture
