#include "analyze/tail/go/delays.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "formats/event.h"

namespace tailcap::tail::go {

using formats::Duration;
using formats::GoRunState;
using formats::Time;
using model::GoDelay;

namespace {

GoDelay summary(std::string route, std::vector<Duration>& took) {
  std::sort(took.begin(), took.end());
  GoDelay d;
  d.route = std::move(route);
  d.count = took.size();
  // Nearest rank.
  d.median = took[(took.size() + 1) / 2 - 1];
  d.p99 = took[(took.size() * 99 + 99) / 100 - 1];
  d.longest = took.back();
  for (const Duration t : took) {
    d.total += t;
    ++d.histogram[static_cast<std::size_t>(
        std::upper_bound(GoDelay::kLimits.begin(), GoDelay::kLimits.end(), t.count()) - GoDelay::kLimits.begin())];
  }
  return d;
}

}  // namespace

void Delays::push(const formats::Event& event) {
  std::uint64_t goroutine = 0;
  bool ready = false, runs = false;
  if (const auto* state = std::get_if<formats::GoState>(&event.body)) {
    goroutine = state->goroutine;
    ready = state->state == GoRunState::ready;
    runs = state->state == GoRunState::running;
  } else if (const auto* create = std::get_if<formats::GoCreate>(&event.body)) {
    goroutine = create->child;
    ready = processes_.contains(event.thread.pid);  // others have no states
  } else if (const auto* exit = std::get_if<formats::GoExit>(&event.body)) {
    goroutine = exit->goroutine;
  } else if (const auto* program = std::get_if<formats::GoProgram>(&event.body)) {
    if ((program->parts & static_cast<std::uint8_t>(formats::GoPart::states)) != 0)
      processes_.try_emplace(event.thread.pid);
    return;
  }
  if (goroutine == 0) return;
  const auto at = processes_.find(event.thread.pid);
  if (at == processes_.end()) {
    if (!ready && !runs) return;
    processes_.try_emplace(event.thread.pid);
    return push(event);
  }
  Process& process = at->second;
  const auto waits = process.ready.find(goroutine);
  if (ready) {
    if (waits != process.ready.end())
      waits->second = event.time;
    else if (waiting_ < kMaxReady) {
      process.ready.emplace(goroutine, event.time);
      ++waiting_;
    }
    return;
  }
  if (waits == process.ready.end()) return;
  if (runs && event.time >= waits->second) {
    if (kept_ < kMaxDelays) {
      process.delays.push_back({goroutine, waits->second, event.time - waits->second});
      ++kept_;
    } else
      ++process.left_out;
  }
  process.ready.erase(waits);
  --waiting_;
}

void Delays::fill(std::uint32_t pid, std::vector<Stretch> stretches, model::GoStudy& study) const {
  const auto at = processes_.find(pid);
  if (at == processes_.end()) return;
  const Process& process = at->second;
  study.delays_left_out = process.left_out;
  if (process.delays.empty()) return;
  std::sort(stretches.begin(), stretches.end(), [](const Stretch& a, const Stretch& b) {
    return std::tie(a.goroutine, a.from, a.to) < std::tie(b.goroutine, b.from, b.to);
  });
  std::vector<Duration> all;
  std::map<std::string, std::vector<Duration>> by_route;
  for (const Delay& d : process.delays) {
    all.push_back(d.took);
    // A goroutine serves one request after the other: the last that began before it ran.
    const Time runs = d.ready + d.took;
    const auto behind = std::partition_point(stretches.begin(), stretches.end(), [&](const Stretch& s) {
      return std::tie(s.goroutine, s.from) <= std::tie(d.goroutine, runs);
    });
    if (behind == stretches.begin()) continue;
    const Stretch& s = *std::prev(behind);
    if (s.goroutine == d.goroutine && d.ready <= s.to && !s.route.empty()) by_route[s.route].push_back(d.took);
  }
  study.delays.push_back(summary({}, all));
  for (auto& [route, took] : by_route) study.delays.push_back(summary(route, took));
  std::stable_sort(study.delays.begin() + 1, study.delays.end(),
                   [](const GoDelay& a, const GoDelay& b) { return a.total > b.total; });
  if (study.delays.size() > kMaxRoutes) study.delays.resize(kMaxRoutes);
}

}  // namespace tailcap::tail::go
