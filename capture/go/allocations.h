// What Go programs allocate: where a kernel program has to stand for it, and what it has counted (bpf/go_allocation.h).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_set>
#include <vector>

#include "bpf/event.h"
#include "capture/go/program.h"
#include "capture/symbols/elf_file.h"

namespace tailcap::capture::go {

// Adds the place to the plan; or says in its unsupported why there is none.
void plan_allocations(const symbols::ElfFile& elf, std::uint16_t file, Program& program);

class Allocations {
 public:
  // map: the kernel programs'; -1: nothing is counted.
  explicit Allocations(int map) : map_(map) {}

  struct Change {
    std::uint32_t pid = 0;
    std::uint64_t least = 0, count = 0, bytes = 0;  // as formats::GoAllocations
  };
  // What has come since the last time; of a process that is seen for the first time, whatever it is, also that there is
  // nothing smaller than a byte. Valid until the next call.
  const std::vector<Change>& read();
  // Others are gone: another process may have their numbers.
  void keep(const std::unordered_set<std::uint32_t>& processes);

 private:
  struct Sums {
    std::array<std::uint64_t, ALLOCATION_CLASSES> count{}, bytes{};
  };
  int map_;
  std::map<std::uint32_t, Sums> known_;
  std::vector<Change> changes_;
  std::vector<bpf::go_allocated> values_;
};

}  // namespace tailcap::capture::go
