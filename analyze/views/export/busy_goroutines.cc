#include "analyze/views/export/busy_goroutines.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "analyze/flame/owners.h"
#include "analyze/pipeline/replay.h"
#include "analyze/tasks/goroutine_states.h"

namespace tailcap::views {
namespace {

using Goroutine = std::pair<std::uint32_t, std::uint64_t>;

struct RunningTime {
  std::int64_t inside = 0, all = 0;  // ns; inside requests
};

flame::Owners owners_of(const pipeline::Analysis& analysis) {
  flame::Owners out;
  for (std::uint32_t i = 0; i < analysis.table.rows.size(); ++i) {
    const model::Request row = analysis.table.rows[i];
    if (row.role == model::Role::server && row.has_duration)
      out.add(row.pid, row.tid, {row.start, row.start + row.duration, flame::Cohort::other, i});
  }
  return out;
}

}  // namespace

BusyGoroutines busy_goroutines(const std::string& file, const pipeline::Options& options,
                               const pipeline::Analysis& analysis, std::size_t most) {
  BusyGoroutines out;
  flame::Owners owners = owners_of(analysis);
  pipeline::Replay replay(file, options.threads, options.progress);
  std::map<Goroutine, RunningTime> times;
  replay.each([&](const formats::Event& event) {
    owners.sent(event);
    if (const auto* state = std::get_if<formats::GoState>(&event.body);
        state && times.size() < tasks::GoroutineStates::kMax)
      times[{event.thread.pid, state->goroutine}];
  });
  if (times.size() <= most) return out;
  owners.sort();
  tasks::GoroutineStates states;
  replay.each([&](const formats::Event& event) {
    for (const tasks::GoroutineInterval& i : states.push(event)) {
      const auto time = times.find({i.pid, i.goroutine});
      if (time == times.end() || i.state != formats::GoRunState::running) continue;
      time->second.all += i.to - i.from;
      for (const auto& part : owners.of({i.pid, 0}, i.goroutine, formats::time_from(i.from), formats::time_from(i.to)))
        time->second.inside += (part.end - part.begin).count();
    }
  });
  std::vector<std::pair<Goroutine, RunningTime>> order(times.begin(), times.end());
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [](const auto& each) { return std::tuple(each.second.inside, each.second.all); });
  out.all = false;
  out.left_out = order.size() - most;
  for (std::size_t i = 0; i < most; ++i) out.chosen.insert(order[i].first);
  return out;
}

}  // namespace tailcap::views
