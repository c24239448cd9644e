#include "analyze/partition/history/cpu_quotas.h"

#include <utility>

namespace tailcap::partition {

void CpuQuotas::push(std::uint32_t pid, const formats::TaskInfo& task) {
  if (!task.cgroup.empty() && cgroups_.size() < kMaxProcesses) cgroups_[pid] = task.cgroup;
}

void CpuQuotas::push(Nanos at, const formats::CpuQuota& reading) {
  std::string path(reading.cgroup);
  auto it = quotas_.find(path);
  if (it == quotas_.end()) {
    if (quotas_.size() >= kMaxCgroups) return;
    it = quotas_.emplace(path, Quota{}).first;
    it->second.group = {std::move(path), reading.quota.count(), reading.period.count()};
    it->second.number = static_cast<std::uint32_t>(quotas_.size());
  }
  model::CpuGroup& group = it->second.group;
  if (group.quota != reading.quota.count() || group.period != reading.period.count()) group.quota = group.period = 0;
  it->second.readings.add({at, reading.throttled});
}

void CpuQuotas::forget_before(Nanos t) {
  for (auto& [cgroup, quota] : quotas_) quota.readings.forget_before(t);
}

CpuQuotas::Throttling CpuQuotas::throttling(std::uint32_t pid, Nanos from, Nanos to) const {
  Throttling found;
  const auto own = cgroups_.find(pid);
  if (own == cgroups_.end()) return found;
  for (std::string path = own->second; !path.empty() && path.find('/') != path.npos; path.erase(path.rfind('/'))) {
    const auto at = quotas_.find(path);
    if (at == quotas_.end()) continue;
    const Quota::Reading* before = at->second.readings.last_until(from);
    const Quota::Reading* after = at->second.readings.first_at(to);
    if (!before || after == at->second.readings.end() || after->throttled <= before->throttled) continue;
    found.group = found.some ? 0 : at->second.number;
    found.some = true;
  }
  return found;
}

std::uint32_t CpuQuotas::frozen(std::uint32_t pid, bool was) {
  if (was && frozen_.size() < kMaxCgroups)
    frozen_.try_emplace(pid, static_cast<std::uint32_t>(kMaxCgroups + frozen_.size() + 1));
  return was ? frozen_of(pid) : 0;
}

std::uint32_t CpuQuotas::frozen_of(std::uint32_t pid) const {
  const auto at = frozen_.find(pid);
  return at == frozen_.end() ? 0 : at->second;
}

void CpuQuotas::froze(std::uint32_t pid, std::string_view path) {
  if (frozen_paths_.size() < kMaxProcesses) frozen_paths_[pid] = path;
}

std::vector<model::CpuGroup> CpuQuotas::groups() const {
  std::vector<model::CpuGroup> all(frozen_.empty() ? quotas_.size() : kMaxCgroups + frozen_.size());
  for (const auto& [path, quota] : quotas_) all[quota.number - 1] = quota.group;
  for (const auto& [pid, number] : frozen_)
    if (const auto path = frozen_paths_.find(pid); path != frozen_paths_.end()) all[number - 1].path = path->second;
  return all;
}

}  // namespace tailcap::partition
