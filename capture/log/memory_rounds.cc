#include "capture/log/memory_rounds.h"

#include <algorithm>

#include "capture/log/turns.h"
#include "ground/recorder_notes.h"

namespace tailcap::capture {

namespace {

// About 20 µs for each process.
constexpr std::size_t kMemoryProcesses = 128;
constexpr std::uint64_t kSteps = 64;  // of a limit; use that changed by less is not written

}  // namespace

void MemoryRounds::push(formats::Time now, const std::unordered_set<std::uint32_t>& processes) {
  limits_.begin();
  for (const std::uint32_t pid : turn_of(processes, kMemoryProcesses, next_))
    for (MemoryLimit& limit : limits_.read(pid)) {
      const auto known = told_.find(limit.cgroup);
      if (known == told_.end() && told_.size() >= kMostKnown) continue;
      if (known != told_.end()) {
        const Told& told = known->second;
        const std::uint64_t change = std::max(told.used, limit.used) - std::min(told.used, limit.used);
        if (told.reached == limit.reached && told.limit == limit.limit && change < limit.limit / kSteps) continue;
        if (told.reached != limit.reached) limit.users = limits_.users_of(limit);
      }
      told_[limit.cgroup] = {limit.limit, limit.used, limit.reached};
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
