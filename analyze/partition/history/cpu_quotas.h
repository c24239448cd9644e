// The CPU quotas of cgroups, and how often the kernel had throttled each at the recorder's readings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/model/partition.h"
#include "analyze/partition/history/log.h"
#include "formats/stall.h"
#include "formats/thread_event.h"

namespace tailcap::partition {

class CpuQuotas {
 public:
  static constexpr std::size_t kMaxCgroups = 1024, kMaxProcesses = 64u << 10;

  // Which cgroup the process is in.
  void push(std::uint32_t pid, const formats::TaskInfo& task);
  void push(Nanos at, const formats::CpuQuota& reading);
  void forget_before(Nanos t);

  // Whether a cgroup of this process (its own or an ancestor) was throttled between the readings around [from, to).
  // group: its number; 0 where it was more than one.
  struct Throttling {
    bool some = false;
    std::uint32_t group = 0;
  };
  Throttling throttling(std::uint32_t pid, Nanos from, Nanos to) const;
  // All cgroups with a quota, by number.
  std::vector<model::CpuGroup> groups() const;

 private:
  struct Quota {
    struct Reading {
      Nanos time = 0;
      std::uint64_t throttled = 0;
    };
    model::CpuGroup group;
    std::uint32_t number = 0;  // from 1
    Log<Reading> readings;
  };

  std::unordered_map<std::uint32_t, std::string> cgroups_;  // of processes
  std::unordered_map<std::string, Quota> quotas_;           // of cgroups, by their paths
};

}  // namespace tailcap::partition
