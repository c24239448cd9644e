// The CPU throttling of cgroups so far, as the kernel counts it: both cgroup hierarchies.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::capture {

struct Quota {
  std::string cgroup;                  // as in /proc/PID/cgroup
  std::int64_t period = 0, quota = 0;  // ns
  std::uint64_t periods = 0, throttled = 0;
  std::int64_t throttled_time = 0;  // ns
};

// Mount points of the two hierarchies; empty: not mounted.
struct CgroupMounts {
  std::string unified, cpu, memory;
};
CgroupMounts parse_cgroup_mounts(std::string_view mountinfo);

// A process's cgroup in each hierarchy, from /proc/PID/cgroup; empty: none.
struct CgroupPaths {
  std::string unified, cpu;
  std::string memory;
  std::string systemd;  // version 1: of systemd's own hierarchy
};
CgroupPaths parse_cgroup_paths(std::string_view text);
// The one that says most: it names a container, or it is not the root; that of the CPU controller first.
const std::string& telling(const CgroupPaths& paths);

// Contents of a cgroup's files; -1: there is no number, as where there is no limit ("max").
std::int64_t cgroup_number(std::string_view text);
std::int64_t cgroup_value(std::string_view text, std::string_view name);  // in lines of "name value"

class Quotas {
 public:
  static constexpr std::size_t kMaxCgroups = 256;  // read at once: reading one takes about 20 µs

  Quotas();
  // Reads the cgroups of this process and all above them that have a quota and were not read since the last begin().
  void begin() {
    seen_.clear();
    unread_ = 0;
  }
  // Never throws because of the contents of /proc or a cgroup's file, or because they are gone: then the result is
  // empty.
  std::vector<Quota> read(std::uint32_t pid);
  // Cgroups that were not read since the last begin() because there were more than kMaxCgroups.
  std::size_t unread() const { return unread_; }

 private:
  void read_up(const std::string& mount, std::string path, bool unified, std::vector<Quota>& found);

  CgroupMounts mounts_;
  std::set<std::string> seen_;
  std::size_t unread_ = 0;
};

}  // namespace tailcap::capture
