// The CPU quotas of cgroups, and how often the kernel had throttled each at the recorder's readings; cgroups that were
// frozen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
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
  // The number of the cgroup that was frozen with this process in it; 0: none was, or there are too many.
  std::uint32_t frozen(std::uint32_t pid, bool was);
  std::uint32_t frozen_of(std::uint32_t pid) const;
  // Its path; before or after frozen().
  void froze(std::uint32_t pid, std::string_view path);
  // All cgroups with a quota, and those that were frozen, by number.
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

  std::unordered_map<std::uint32_t, std::string> cgroups_;   // of processes
  std::unordered_map<std::string, Quota> quotas_;            // of cgroups, by their paths
  std::unordered_map<std::uint32_t, std::uint32_t> frozen_;  // by process; numbers from kMaxCgroups + 1 on
  std::unordered_map<std::uint32_t, std::string> frozen_paths_;
};

}  // namespace tailcap::partition
