// Who used the CPUs and the disks of the machine.
#pragma once

#include <cstdint>
#include <string>

namespace tailcap::model {

// Processes of one name and the CPUs that they used on average.
struct CpuTaker {
  std::string comm;
  std::uint64_t processes = 0;
  double cpus = 0;
};

// Processes of one name and the bytes of files that they had read from disks, and changed.
struct DiskUser {
  std::string comm;
  std::uint64_t processes = 0;
  std::uint64_t read = 0, written = 0;
  std::uint64_t met = 0, of = 0;  // stretches around waits in which they did so, of those looked at
  // Share of such stretches, anywhere in the recording, in which they did so as well, and the probability that chance
  // alone makes as many as `met`. Below 0: not known.
  double elsewhere = -1, chance = -1;
};

// A process, and how much memory of its own it had.
struct MemoryHolder {
  std::string process;  // its name; empty: not known
  std::uint32_t pid = 0;
  std::uint64_t bytes = 0;
};

}  // namespace tailcap::model
