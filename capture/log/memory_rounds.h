// Memory limits of the targets' cgroups and how much of them is used, read once a second into the file where it has
// changed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

#include "capture/log/event_log.h"
#include "capture/log/memory_limit.h"
#include "capture/log/non_targets.h"

namespace tailcap::capture {

class MemoryRounds {
 public:
  MemoryRounds(EventLog& log, NonTargets& met) : log_(log), met_(met) {}
  void push(formats::Time now, const std::unordered_set<std::uint32_t>& processes);

 private:
  static constexpr std::size_t kMostKnown = 4096;  // processes and cgroups
  void note(formats::Time now, std::uint32_t pid, const MemoryLimit& limit);

  EventLog& log_;
  NonTargets& met_;
  MemoryLimits limits_;
  struct Told {
    std::uint64_t limit = 0, used = 0, reached = 0;
  };
  std::map<std::string, Told> told_;  // by cgroup
  std::uint32_t next_ = 0;            // the process at which the next round begins
};

}  // namespace tailcap::capture
