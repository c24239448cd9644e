// What /proc says of a process. Processes go at any moment: what cannot be read is empty.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/time.h"

namespace tailcap::capture {

struct ProcessFacts {
  std::uint32_t parent_pid = 0;
  std::string comm, command_line, executable;
  std::string cgroup;  // in the hierarchy of the CPU controller
  formats::Time started = formats::kNoTime;  // to the clock tick, a hundredth of a second
};
ProcessFacts process_facts(std::uint32_t pid);

struct MappingFacts {
  std::uint64_t start = 0, end = 0, file_offset = 0;
  std::string path, build_id;
};

// Executable file mappings, with build-ids remembered per file.
class Mappings {
 public:
  std::vector<MappingFacts> of(std::uint32_t pid);

 private:
  std::unordered_map<std::string, std::string> build_ids_;  // by device:inode
};

bool process_exists(std::uint32_t pid);  // and is not a zombie

struct OwnCost {
  std::uint64_t cpu_ns = 0;
  std::uint64_t resident = 0;
};
OwnCost own_cost();

}  // namespace tailcap::capture
