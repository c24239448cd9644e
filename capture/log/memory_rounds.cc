#include "capture/log/memory_rounds.h"

#include "capture/log/turns.h"
#include "ground/recorder_notes.h"

namespace tailcap::capture {

namespace {

// About 20 µs for each process.
constexpr std::size_t kMemoryProcesses = 128;

}  // namespace

void MemoryRounds::push(formats::Time now, const std::unordered_set<std::uint32_t>& processes) {
  limits_.begin();
  for (const std::uint32_t pid : turn_of(processes, kMemoryProcesses, next_))
    for (MemoryLimit& limit : limits_.read(pid)) {
      const auto known = reached_.find(limit.cgroup);
      if (known != reached_.end() && known->second == limit.reached) continue;
      if (known == reached_.end() && reached_.size() >= kMostKnown) continue;
      if (known != reached_.end()) limit.users = limits_.users_of(limit);
      reached_[limit.cgroup] = limit.reached;
      note(now, pid, limit);
    }
}

void MemoryRounds::note(formats::Time now, std::uint32_t pid, const MemoryLimit& limit) {
  std::string value =
      std::to_string(limit.limit) + " " + std::to_string(limit.used) + " " + std::to_string(limit.reached) + " ";
  for (std::size_t i = 0; i < limit.users.size(); ++i) {
    value += (i == 0 ? "" : ",") + std::to_string(limit.users[i].pid) + ":" + std::to_string(limit.users[i].bytes);
    met_.met(limit.users[i].pid);
  }
  if (limit.users.empty()) value += "-";
  value += " " + limit.cgroup;
  log_.push({now, {pid, pid}, formats::Note{ground::kMemoryNote, value}});
}

}  // namespace tailcap::capture
