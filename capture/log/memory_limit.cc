#include "capture/log/memory_limit.h"

#include <algorithm>
#include <string_view>

#include "capture/host/system_file.h"
#include "capture/scan/proc.h"

namespace tailcap::capture {
namespace {

constexpr std::size_t kMostProcesses = 256, kMostUsers = 4;
// Version 1 has no other word for "no limit" than a number that no machine has.
constexpr std::int64_t kNoLimit = std::int64_t{1} << 60;

}  // namespace

MemoryLimits::MemoryLimits() : mounts_(parse_cgroup_mounts(read_system_file("/proc/self/mountinfo", kMountsBytes))) {}

std::vector<MemoryLimit> MemoryLimits::read(std::uint32_t pid) {
  std::vector<MemoryLimit> found;
  const CgroupPaths paths = parse_cgroup_paths(read_system_file("/proc/" + std::to_string(pid) + "/cgroup"));
  if (!mounts_.memory.empty())
    read_up(mounts_.memory, paths.memory, false, found);
  else if (!mounts_.unified.empty())
    read_up(mounts_.unified, paths.unified, true, found);
  return found;
}

void MemoryLimits::read_up(const std::string& mount, std::string path, bool unified, std::vector<MemoryLimit>& found) {
  for (; path.size() > 1; path.erase(path.rfind('/'))) {
    const std::string folder = mount + path;
    if (seen_.size() >= kMaxCgroups || !seen_.insert(folder).second) return;
    const auto text = [&](const char* file) { return read_system_file(folder + file); };
    const std::int64_t limit = cgroup_number(text(unified ? "/memory.max" : "/memory.limit_in_bytes"));
    if (limit < 0 || limit >= kNoLimit) continue;
    const std::int64_t used = cgroup_number(text(unified ? "/memory.current" : "/memory.usage_in_bytes"));
    const std::int64_t reached =
        unified ? cgroup_value(text("/memory.events"), "max") : cgroup_number(text("/memory.failcnt"));
    if (used >= 0 && reached >= 0)
      found.push_back({path,
                       static_cast<std::uint64_t>(limit),
                       static_cast<std::uint64_t>(used),
                       static_cast<std::uint64_t>(reached),
                       {}});
  }
}

std::vector<MemoryUser> MemoryLimits::users_of(const MemoryLimit& limit) const {
  std::vector<MemoryUser> users;
  const std::string& mount = mounts_.memory.empty() ? mounts_.unified : mounts_.memory;
  SystemLines lines(mount + limit.cgroup + "/cgroup.procs");
  std::string_view line;
  for (std::size_t n = 0; n < kMostProcesses && lines.next(line); ++n) {
    const auto memory = process_memory(std::string(line));
    const std::int64_t pid = cgroup_number(line);
    if (memory && pid >= 0 && pid <= UINT32_MAX) users.push_back({static_cast<std::uint32_t>(pid), memory->anonymous});
  }
  std::ranges::stable_sort(users, std::ranges::greater{}, &MemoryUser::bytes);
  users.resize(std::min(users.size(), kMostUsers));
  return users;
}

}  // namespace tailcap::capture
