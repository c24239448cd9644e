#include "capture/log/memory_limit.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "capture/host/system_file.h"
#include "capture/scan/proc.h"

namespace tailcap::capture {
namespace {

constexpr std::size_t kMostProcesses = 256, kMostUsers = 4;
// Version 1 has no other word for "no limit" than a number that no machine has.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;

std::optional<std::uint64_t> bytes_or_count(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), n);
  return bad == std::errc() ? std::optional(n) : std::nullopt;
}

// "max 12" in memory.events.
std::optional<std::uint64_t> times_at_limit(std::string_view events) {
  const std::size_t at = events.starts_with("max ") ? 0 : events.find("\nmax ");
  if (at == events.npos) return std::nullopt;
  return bytes_or_count(events.substr(at + (at == 0 ? 4 : 5)));
}

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
    const auto limit = bytes_or_count(read_system_file(folder + (unified ? "/memory.max" : "/memory.limit_in_bytes")));
    if (!limit || *limit >= kNoLimit) continue;
    const auto used =
        bytes_or_count(read_system_file(folder + (unified ? "/memory.current" : "/memory.usage_in_bytes")));
    const auto reached = unified ? times_at_limit(read_system_file(folder + "/memory.events"))
                                 : bytes_or_count(read_system_file(folder + "/memory.failcnt"));
    if (used && reached) found.push_back({path, *limit, *used, *reached, {}});
  }
}

std::vector<MemoryUser> MemoryLimits::users_of(const MemoryLimit& limit) const {
  std::vector<MemoryUser> users;
  const std::string& mount = mounts_.memory.empty() ? mounts_.unified : mounts_.memory;
  SystemLines lines(mount + limit.cgroup + "/cgroup.procs");
  std::string_view line;
  for (std::size_t n = 0; n < kMostProcesses && lines.next(line); ++n) {
    const auto memory = process_memory(std::string(line));
    const auto pid = bytes_or_count(line);
    if (memory && pid && *pid <= UINT32_MAX) users.push_back({static_cast<std::uint32_t>(*pid), memory->anonymous});
  }
  std::ranges::stable_sort(users, std::ranges::greater{}, &MemoryUser::bytes);
  users.resize(std::min(users.size(), kMostUsers));
  return users;
}

}  // namespace tailcap::capture
