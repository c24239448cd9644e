#include "capture/host/quota.h"

#include <algorithm>
#include <charconv>

#include "capture/host/system_file.h"
#include "ground/container_path.h"

namespace tailcap::capture {
namespace {

// Each mount is a line; containers have thousands of them.

// The next word, taken from the front; words are separated by any of `between`.
std::string_view take(std::string_view& text, std::string_view between) {
  const std::size_t begin = std::min(text.find_first_not_of(between), text.size());
  const std::size_t end = std::min(text.find_first_of(between, begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

bool has_option(std::string_view options, std::string_view option) {
  while (!options.empty())
    if (take(options, ",") == option) return true;
  return false;
}

}  // namespace

std::int64_t cgroup_number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), n);
  return bad == std::errc() ? n : -1;
}

std::int64_t cgroup_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take(text, "\n");
    if (take(line, " ") == name) return cgroup_number(take(line, " "));
  }
  return -1;
}

CgroupMounts parse_cgroup_mounts(std::string_view mountinfo) {
  CgroupMounts mounts;
  while (!mountinfo.empty()) {
    std::string_view line = take(mountinfo, "\n");
    for (int i = 0; i < 3; ++i) take(line, " ");
    const std::string_view root = take(line, " "), place = take(line, " ");
    const std::size_t dash = line.find(" - ");
    if (dash == line.npos || root != "/") continue;  // part of a hierarchy: paths do not fit
    line.remove_prefix(dash + 3);
    const std::string_view type = take(line, " ");
    take(line, " ");
    if (type == "cgroup2" && mounts.unified.empty()) mounts.unified = place;
    if (type != "cgroup") continue;
    const std::string_view options = take(line, " ");
    if (mounts.cpu.empty() && has_option(options, "cpu")) mounts.cpu = place;
    if (mounts.memory.empty() && has_option(options, "memory")) mounts.memory = place;
  }
  return mounts;
}

CgroupPaths parse_cgroup_paths(std::string_view text) {
  CgroupPaths paths;
  while (!text.empty()) {
    const std::string_view line = take(text, "\n");
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    if (!path.starts_with('/') || path.find("/..") != path.npos) continue;  // outside of what we can see
    if (controllers.empty())
      paths.unified = path;
    else if (controllers == "name=systemd")
      paths.systemd = path;
    if (has_option(controllers, "cpu")) paths.cpu = path;
    if (has_option(controllers, "memory")) paths.memory = path;
  }
  return paths;
}

const std::string& telling(const CgroupPaths& paths) {
  const std::string* const all[] = {&paths.cpu, &paths.unified, &paths.systemd};
  for (const std::string* path : all)
    if (!ground::container_of(*path).id.empty()) return *path;
  for (const std::string* path : all)
    if (path->size() > 1) return *path;
  return paths.cpu.empty() ? paths.unified : paths.cpu;
}

Quotas::Quotas() : mounts_(parse_cgroup_mounts(read_system_file("/proc/self/mountinfo", kMountsBytes))) {}

std::vector<Quota> Quotas::read(std::uint32_t pid) {
  std::vector<Quota> found;
  const CgroupPaths paths = parse_cgroup_paths(read_system_file("/proc/" + std::to_string(pid) + "/cgroup"));
  if (!mounts_.unified.empty()) read_up(mounts_.unified, paths.unified, true, found);
  if (!mounts_.cpu.empty()) read_up(mounts_.cpu, paths.cpu, false, found);
  return found;
}

void Quotas::read_up(const std::string& mount, std::string path, bool unified, std::vector<Quota>& found) {
  // The root has no quota.
  for (; path.size() > 1; path.erase(path.rfind('/'))) {
    const std::string folder = mount + path;
    if (seen_.contains(folder)) return;
    if (seen_.size() >= kMaxCgroups) {
      unread_++;
      return;
    }
    seen_.insert(folder);
    Quota q;
    q.cgroup = path;
    if (unified) {
      const std::string limits = read_system_file(folder + "/cpu.max");
      std::string_view rest = limits;
      q.quota = cgroup_number(take(rest, " \n")) * 1000;
      q.period = cgroup_number(take(rest, " \n")) * 1000;
    } else {
      std::string text = read_system_file(folder + "/cpu.cfs_quota_us");
      std::string_view rest = text;
      q.quota = cgroup_number(take(rest, "\n")) * 1000;
      text = read_system_file(folder + "/cpu.cfs_period_us");
      rest = text;
      q.period = cgroup_number(take(rest, "\n")) * 1000;
    }
    if (q.quota <= 0 || q.period <= 0) continue;
    const std::string counts = read_system_file(folder + "/cpu.stat");
    const std::int64_t time = cgroup_value(counts, unified ? "throttled_usec" : "throttled_time");
    const std::int64_t periods = cgroup_value(counts, "nr_periods"), throttled = cgroup_value(counts, "nr_throttled");
    if (time < 0 || periods < 0 || throttled < 0) continue;
    q.periods = static_cast<std::uint64_t>(periods);
    q.throttled = static_cast<std::uint64_t>(throttled);
    q.throttled_time = unified ? time * 1000 : time;
    found.push_back(std::move(q));
  }
}

}  // namespace tailcap::capture
