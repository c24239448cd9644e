#include "analyze/views/compare/process_counts.h"

#include <algorithm>

namespace tailcap::views {

using model::gate::Count;

namespace {

std::size_t at(Count count) { return static_cast<std::size_t>(count); }

void missing(model::gate::RouteRun& route, Count count, const char* why) {
  route.uncounted[at(count)] = why;
  route.read(at(count)).clear();
}

}  // namespace

void ProcessCounts::push(const formats::Event& event) {
  const auto* of_go = std::get_if<formats::GoAllocations>(&event.body);
  const auto* by_malloc = std::get_if<formats::MallocCalls>(&event.body);
  const auto* used = std::get_if<formats::ProcessUse>(&event.body);
  if (!of_go && !by_malloc && !used) return;
  if (processes_.size() >= kMostProcesses && !processes_.contains(event.thread.pid)) return;
  Process& process = processes_[event.thread.pid];
  const std::int64_t time = formats::nanoseconds(event.time);
  if ((of_go || by_malloc) && process.allocated.size() < kMostReadings)
    process.allocated[time] += static_cast<double>(of_go ? of_go->count : by_malloc->count);
  if (used && process.used.size() < kMostReadings)
    process.used[time] = {static_cast<double>(used->cpu.count()), static_cast<double>(used->anonymous)};
}

void ProcessCounts::since(const pipeline::Analysis& analysis, std::int64_t from) {
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

double ProcessCounts::Process::served(std::int64_t after, std::int64_t until) const {
  const auto first = std::upper_bound(ends.begin(), ends.end(), after);
  return static_cast<double>(std::upper_bound(first, ends.end(), until) - first);
}

void ProcessCounts::read(const std::set<std::uint32_t>& processes, model::gate::RouteRun& route) const {
  if (route.name.role == model::Role::server) {
    read_allocations(processes, route);
    read_uses(processes, route);
    return;
  }
  for (std::size_t count = 0; count < model::gate::kCounts; ++count)
    if (model::gate::of_process(count))
      missing(route, static_cast<Count>(count), "it is counted for requests that are served");
}

void ProcessCounts::read_allocations(const std::set<std::uint32_t>& processes, model::gate::RouteRun& route) const {
  for (const std::uint32_t pid : processes) {
    const auto found = processes_.find(pid);
    if (found == processes_.end() || found->second.allocated.empty())
      return missing(
          route, Count::allocations,
          "allocations of its program were not recorded: they are with `tailcap record --add allocations`, where its "
          "malloc can be probed");
    const Process& process = found->second;
    if (process.routes.size() > 1)
      return missing(route, Count::allocations,
                     "its process serves other routes, too, and allocations are counted by process");
    const std::int64_t* before = nullptr;
    for (const auto& [time, count] : process.allocated) {
      if (time < from_) continue;
      if (before) route.read(at(Count::allocations)).push_back({count, process.served(*before, time)});
      before = &time;
    }
  }
}

// The use is that of all routes that the processes serve: which of them used how much is not known.
void ProcessCounts::read_uses(const std::set<std::uint32_t>& processes, model::gate::RouteRun& route) const {
  for (const std::uint32_t pid : processes) {
    const auto found = processes_.find(pid);
    if (found == processes_.end() || found->second.used.empty()) {
      for (const Count count : {Count::process_cpu, Count::memory})
        missing(route, count,
                "CPU time and memory of its process were not recorded: the capture is of an earlier version");
      return;
    }
    const Process& process = found->second;
    for (auto reading = process.used.lower_bound(from_); reading != process.used.end();) {
      const auto before = reading++;
      if (reading == process.used.end()) break;
      const double requests = process.served(before->first, reading->first);
      route.read(at(Count::process_cpu)).push_back({reading->second.cpu - before->second.cpu, requests});
      route.read(at(Count::memory)).push_back({reading->second.memory - before->second.memory, requests});
    }
  }
}

}  // namespace tailcap::views
