#include "analyze/node/shortage.h"

#include <algorithm>

#include "formats/event.h"
#include "formats/thread_event.h"

namespace tailcap::node {

using formats::Duration;
using formats::StallKind;

void Shortage::add(Held& held, std::uint32_t pid, Duration time, const ProcessNames& names) {
  ++held.all.count;
  held.all.sum += time;
  held.all.most = std::max(held.all.most, time);
  if (held.by_pid.size() >= kMaxProcesses && !held.by_pid.contains(pid)) pid = 0;
  model::MemoryWaits::Process& process = held.by_pid[pid];
  process.pid = pid;
  if (const std::string& name = names.of(pid); !name.empty()) process.name = name;
  ++process.count;
  process.sum += time;
}

void Shortage::disk(const formats::Event& event, const formats::Stall& stall, Duration time,
                    const ProcessNames& names) {
  ++slow_;
  const auto number = static_cast<std::uint32_t>(stall.where);
  if (devices_.size() >= kMaxDevices && !devices_.contains(number)) return;
  Device& device = devices_[number];
  device.all.device = number;
  ++device.all.count;
  device.all.bytes += stall.detail;
  device.all.sum += time;
  device.all.most = std::max(device.all.most, time);
  const std::string& name = names.of(event.thread.pid);
  if (!name.empty() && (device.by_name.size() < kMaxProcesses || device.by_name.contains(name))) ++device.by_name[name];
}

void Shortage::push(const formats::Event& event, const ProcessNames& names) {
  if (std::holds_alternative<formats::OomKill>(event.body)) {
    ++victims_count_;
    if (victims_.size() < model::NodeStudy::kMaxListed)
      victims_.push_back({event.time, event.thread.pid, names.of(event.thread.pid)});
    return;
  }
  const auto* stall = std::get_if<formats::Stall>(&event.body);
  if (!stall) return;
  if (stall->what == StallKind::fragmented) {
    ++fragments_;
    ++orders_[std::min<std::uint64_t>(stall->where, 64)];
    return;
  }
  if (!known(stall->began) || stall->began > event.time) return;
  const Duration time = event.time - stall->began;
  if (stall->what == StallKind::reclaim)
    add(reclaim_, event.thread.pid, time, names);
  else if (stall->what == StallKind::compaction)
    add(compaction_, event.thread.pid, time, names);
  else if (stall->what == StallKind::block_io && disks_told_)
    disk(event, *stall, time, names);
}

model::MemoryWaits Shortage::listed(const Held& held) {
  model::MemoryWaits out = held.all;
  for (const auto& [pid, process] : held.by_pid) out.processes.push_back(process);
  std::sort(out.processes.begin(), out.processes.end(),
            [](const auto& a, const auto& b) { return a.sum != b.sum ? a.sum > b.sum : a.pid < b.pid; });
  if (out.processes.size() > model::NodeStudy::kMaxListed) out.processes.resize(model::NodeStudy::kMaxListed);
  return out;
}

void Shortage::fill(model::NodeStudy& study) const {
  study.reclaim = listed(reclaim_);
  study.compaction = listed(compaction_);
  study.fragments = fragments_;
  study.fragment_orders.assign(orders_.begin(), orders_.end());
  study.oom = victims_;
  study.oom_count = victims_count_;
  study.slow_io_count = slow_;
  for (const auto& [number, device] : devices_) {
    study.disks.push_back(device.all);
    const auto most = std::max_element(device.by_name.begin(), device.by_name.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most != device.by_name.end()) study.disks.back().name = most->first;
  }
  std::stable_sort(study.disks.begin(), study.disks.end(), [](const auto& a, const auto& b) { return a.sum > b.sum; });
  if (study.disks.size() > model::NodeStudy::kMaxListed) study.disks.resize(model::NodeStudy::kMaxListed);
}

}  // namespace tailcap::node
