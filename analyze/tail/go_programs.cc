#include "analyze/tail/go_programs.h"

#include <algorithm>

namespace tailcap::tail {

using formats::GoPhase;
using formats::known;
using formats::Time;

void GoPrograms::push(const formats::Event& event) {
  if (const auto* program = std::get_if<formats::GoProgram>(&event.body)) {
    flow::GoStudy& s = processes_[event.thread.pid].study;
    s.version = program->version, s.unsupported = program->unsupported;
  } else if (std::holds_alternative<formats::GoCreate>(event.body)) {
    ++processes_[event.thread.pid].study.goroutines_made;
  } else if (const auto* runtime = std::get_if<formats::GoRuntime>(&event.body)) {
    Sums& sums = processes_[event.thread.pid];
    sums.study.collections += runtime->phase == GoPhase::gc_begin;
    sums.study.assists += runtime->phase == GoPhase::assist && runtime->reason.empty();
    if (runtime->phase == GoPhase::stop_begin) {
      sums.asked = event.time;
    } else if (runtime->phase == GoPhase::started && known(sums.asked)) {
      if (event.time >= sums.asked && kept_ < kMaxStops) sums.stops.push_back({sums.asked, event.time}), ++kept_;
      sums.asked = formats::kNoTime;
    }
  }
}

std::vector<flow::GoStudy> GoPrograms::list(const flow::RequestTable& table) const {
  std::vector<flow::GoStudy> out;
  std::map<std::uint32_t, std::size_t> places;
  for (const auto& [pid, sums] : processes_) {
    places.emplace(pid, out.size());
    flow::GoStudy& s = out.emplace_back(sums.study);
    s.pid = pid;
    std::vector<formats::Duration> took;
    for (const Stop& stop : sums.stops) took.push_back(stop.to - stop.from), s.stop_total += took.back();
    s.stops = took.size();
    if (took.empty()) continue;
    std::sort(took.begin(), took.end());
    // Nearest rank.
    s.stop_median = took[(took.size() + 1) / 2 - 1];
    s.stop_p99 = took[(took.size() * 99 + 99) / 100 - 1];
    s.stop_longest = took.back();
  }
  for (std::size_t i = 0; i < table.rows.size() && !out.empty(); ++i) {
    const flow::Request row = table.rows[i];
    const auto at = places.find(row.pid);
    if (at == places.end() || row.role != flow::Role::server) continue;
    flow::GoStudy& s = out[at->second];
    if (s.comm.empty()) s.comm = table.texts[row.comm];
    if (!row.has_duration) continue;
    ++s.requests;
    // Stops of a process come one after the other.
    const auto& stops = processes_.at(row.pid).stops;
    const auto stop = std::partition_point(stops.begin(), stops.end(), [&](const Stop& x) { return x.to <= row.start; });
    s.requests_stopped += stop != stops.end() && stop->from < row.start + row.duration;
  }
  return out;
}

}  // namespace tailcap::tail
