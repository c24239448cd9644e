// The memory of cgroups that have a limit, as the kernel counts it: both cgroup hierarchies.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "capture/host/quota.h"

namespace tailcap::capture {

struct MemoryUser {
  std::uint32_t pid = 0;
  std::uint64_t bytes = 0;  // of its own memory
  bool operator==(const MemoryUser&) const = default;
};

struct MemoryLimit {
  std::string cgroup;  // as in /proc/PID/cgroup
  std::uint64_t limit = 0, used = 0;
  std::uint64_t reached = 0;      // how often memory had to be freed because of the limit
  std::vector<MemoryUser> users;  // most first, few; see users_of()
};

class MemoryLimits {
 public:
  static constexpr std::size_t kMaxCgroups = 64;  // read at once

  MemoryLimits();
  void begin() { seen_.clear(); }
  // The cgroups of this process and all above them that have a limit and were not read since the last begin(), without
  // their users. Never throws because of the contents of /proc or a cgroup's file, or because they are gone.
  std::vector<MemoryLimit> read(std::uint32_t pid);
  // The processes in it that have most memory of their own.
  std::vector<MemoryUser> users_of(const MemoryLimit& limit) const;

 private:
  void read_up(const std::string& mount, std::string path, bool unified, std::vector<MemoryLimit>& found);
  std::string folder_of(const std::string& cgroup) const;

  CgroupMounts mounts_;
  std::set<std::string> seen_;
};

}  // namespace tailcap::capture
