#include "analyze/views/compare/allocations.h"

#include <algorithm>

namespace tailcap::views {

using model::gate::Count;

void Allocations::push(const formats::Event& event) {
  const auto* counted = std::get_if<formats::GoAllocations>(&event.body);
  if (!counted || (processes_.size() >= kMostProcesses && !processes_.contains(event.thread.pid))) return;
  auto& readings = processes_[event.thread.pid].counted;
  if (readings.size() < kMostReadings)
    readings[formats::nanoseconds(event.time)] += static_cast<double>(counted->count);
}

void Allocations::since(const pipeline::Analysis& analysis, std::int64_t from) {
  from_ = from;
  for (const model::Request row : analysis.table.rows) {
    if (row.role != model::Role::server) continue;
    const auto process = processes_.find(row.pid);
    if (process == processes_.end()) continue;
    process->second.routes.emplace(row.method, row.route);
    if (row.has_duration) process->second.ends.push_back(formats::nanoseconds(row.start + row.duration));
  }
  for (auto& [pid, process] : processes_) std::sort(process.ends.begin(), process.ends.end());
}

void Allocations::read(const std::set<std::uint32_t>& processes, model::gate::RouteRun& route) const {
  const auto missing = [&](const char* why) {
    route.uncounted[static_cast<std::size_t>(Count::allocations)] = why;
    route.allocations.clear();
  };
  if (route.name.role != model::Role::server) return missing("allocations are counted for requests that are served");
  for (const std::uint32_t pid : processes) {
    const auto found = processes_.find(pid);
    if (found == processes_.end())
      return missing(
          "allocations of its program were not recorded: it is none of Go, or the group allocations is missing "
          "(`tailcap record --add allocations`)");
    const Process& process = found->second;
    if (process.routes.size() > 1)
      return missing("its process serves other routes, too, and allocations are counted by process");
    const std::int64_t* before = nullptr;
    for (const auto& [time, count] : process.counted) {
      if (time < from_) continue;
      if (before) {
        const auto first = std::upper_bound(process.ends.begin(), process.ends.end(), *before);
        const auto last = std::upper_bound(first, process.ends.end(), time);
        route.allocations.push_back({count, static_cast<double>(last - first)});
      }
      before = &time;
    }
  }
}

}  // namespace tailcap::views
