// What processes allocated, as the kernel programs count it: of Go (bpf/go/allocation.bpf.c), or by malloc
// (bpf/memory/malloc.bpf.c).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_set>
#include <vector>

#include "bpf/event.h"

namespace tailcap::capture {

class AllocationCounts {
 public:
  // map: the kernel programs'; -1: nothing is counted.
  explicit AllocationCounts(int map) : map_(map) {}

  struct Change {
    std::uint32_t pid = 0;
    std::uint64_t least = 0, count = 0, bytes = 0;  // as formats::GoAllocations
  };
  // The changes since the previous call. The changes of a process that is seen for the first time begin with one of all
  // zeros. Valid until the next call.
  const std::vector<Change>& read();
  // Forgets other processes: new ones may reuse their numbers.
  void keep(const std::unordered_set<std::uint32_t>& processes);

 private:
  struct Sums {
    std::array<std::uint64_t, ALLOCATION_CLASSES> count{}, bytes{};
  };
  int map_;
  std::map<std::uint32_t, Sums> known_;
  std::vector<Change> changes_;
  std::vector<bpf::allocated> values_;
};

}  // namespace tailcap::capture
