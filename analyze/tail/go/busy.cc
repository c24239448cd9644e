#include "analyze/tail/go/busy.h"

#include <algorithm>

#include "analyze/model/machine/container.h"
#include "formats/event.h"
#include "formats/go_event.h"
#include "formats/stall.h"

namespace tailcap::tail::go {

using formats::GoRunState;
using formats::known;
using formats::Time;

namespace {

constexpr std::size_t kMaxGroups = 4096;

std::int64_t number(Time at, Time begin) { return (at - begin).count() / Busy::kWindow; }

}  // namespace

Busy::Window* Busy::window(Process& process, std::int64_t number) {
  const auto at = process.windows.find(number);
  if (at != process.windows.end()) return &at->second;
  if (windows_ >= kMaxWindows) return nullptr;
  ++windows_;
  return &process.windows[number];
}

void Busy::add(Process& process, Time from, Time to, const What& what, int sign) {
  from = std::max(from, begin_);
  if (from >= to) return;
  const std::int64_t first = number(from, begin_), last = number(to, begin_);
  const auto start = [&](std::int64_t n) { return begin_ + formats::Duration{n * kWindow}; };
  const auto part = [&](std::int64_t n, formats::Duration length) {
    if (Window* const w = length.count() > 0 ? window(process, n) : nullptr) w->*what.part += sign * length.count();
  };
  if (first == last) {
    part(first, to - from);
    return;
  }
  part(first, start(first + 1) - from);
  part(last, to - start(last));
  if (first + 1 == last) return;
  Window *const begin = window(process, first + 1), *const end = window(process, last);
  if (!begin || !end) return;
  begin->*what.more += sign;
  end->*what.more -= sign;
}

void Busy::runs_no_longer(Process& process, std::uint64_t goroutine, Time at) {
  const auto running = process.running.find(goroutine);
  if (running == process.running.end()) return;
  add(process, running->second, at, kGoroutines, 1);
  process.running.erase(running);
  --running_;
}

void Busy::off_cpu(Process& process, const formats::Event& event, const formats::OffCpu& off) {
  if (!known(off.left)) return;
  const auto [on, fresh] = process.on_cpu.try_emplace(event.thread.tid, event.time);
  if (!fresh && off.left > on->second && off.missed == 0) add(process, on->second, off.left, kThreads, 1);
  on->second = event.time;
  const bool blocked = off.state != 0 && off.state != 256;
  const auto running = blocked ? process.running.find(event.goroutine) : process.running.end();
  if (running == process.running.end()) return;
  const Time from = std::max(off.left, running->second), to = known(off.runnable) ? off.runnable : event.time;
  if (from < to) add(process, from, to, kGoroutines, -1);
}

void Busy::push(const formats::Event& event) {
  if (!known(event.time)) return;
  if (!known(begin_)) begin_ = event.time;
  if (const auto* quota = std::get_if<formats::CpuQuota>(&event.body)) {
    if (quota->quota.count() > 0 && quota->period.count() > 0 && quotas_.size() < kMaxGroups)
      quotas_[std::string(quota->cgroup)] =
          static_cast<double>(quota->quota.count()) / static_cast<double>(quota->period.count());
    return;
  }
  if (const auto* info = std::get_if<formats::TaskInfo>(&event.body)) {
    if (event.thread.pid == event.thread.tid && !info->cgroup.empty() && cgroups_.size() < kMaxGroups)
      cgroups_[event.thread.pid] = info->cgroup;
    return;
  }
  if (const auto* program = std::get_if<formats::GoProgram>(&event.body)) {
    Process& process = processes_[event.thread.pid];
    if (!known(process.first)) process.first = event.time;
    process.states = process.states || (program->parts & static_cast<std::uint8_t>(formats::GoPart::states)) != 0;
    if (program->processors != 0) process.processors = program->processors;
    return;
  }
  const auto at = processes_.find(event.thread.pid);
  if (at == processes_.end()) return;
  Process& process = at->second;
  if (const auto* off = std::get_if<formats::OffCpu>(&event.body)) {
    if (process.on_cpu.size() < kMaxRunning) off_cpu(process, event, *off);
  } else if (const auto* state = std::get_if<formats::GoState>(&event.body)) {
    runs_no_longer(process, state->goroutine, event.time);
    if (state->state == GoRunState::running && running_ < kMaxRunning) {
      process.running.emplace(state->goroutine, event.time);
      ++running_;
    }
  } else if (const auto* exit = std::get_if<formats::GoExit>(&event.body)) {
    runs_no_longer(process, exit->goroutine, event.time);
  } else if (std::holds_alternative<formats::TaskStart>(event.body)) {
    process.on_cpu[event.thread.tid] = event.time;
  } else if (std::holds_alternative<formats::TaskExit>(event.body)) {
    if (const auto on = process.on_cpu.find(event.thread.tid); on != process.on_cpu.end()) {
      add(process, on->second, event.time, kThreads, 1);
      process.on_cpu.erase(on);
    }
    if (event.thread.pid == event.thread.tid) process.ended = event.time;
  }
}

void Busy::fill(std::uint32_t pid, std::uint32_t cpus, Time end, model::GoStudy& study) const {
  const auto at = processes_.find(pid);
  if (at == processes_.end() || !known(begin_)) return;
  const Process& process = at->second;
  study.states_told = process.states;
  study.processors = process.processors;
  if (windows_ >= kMaxWindows) return;
  Process whole = process;
  Busy scratch;
  scratch.begin_ = begin_;
  const Time last = known(process.ended) ? std::min(process.ended, end) : end;
  for (const auto& [g, since] : process.running) scratch.add(whole, since, last, kGoroutines, 1);
  double usable = cpus;
  if (const auto group = cgroups_.find(pid); group != cgroups_.end())
    for (const auto& [name, quota] : quotas_)
      if (model::in_cgroup(group->second, name)) usable = std::min(usable, quota);
  const bool told = process.states && process.processors > 0;
  const std::int64_t first = number(process.first, begin_) + 1, behind = number(last, begin_);
  if (first >= behind || static_cast<std::uint64_t>(behind - first) > kMaxWindows - filled_) return;
  filled_ += static_cast<std::size_t>(behind - first);
  Window filling;  // of which the windows are full
  auto next = whole.windows.begin();
  for (std::int64_t n = first; n < behind; ++n) {
    Window window;
    for (; next != whole.windows.end() && next->first <= n; ++next) {
      if (next->first == n) window = next->second;
      filling.goroutines += next->second.more_goroutines;
      filling.threads += next->second.more_threads;
    }
    window.goroutines += filling.goroutines * kWindow;
    window.threads += filling.threads * kWindow;
    const auto share = [](std::int64_t ns, double of) {
      return static_cast<double>(std::max<std::int64_t>(ns, 0)) / static_cast<double>(kWindow) / of;
    };
    model::GoBusy& busy = study.busy.emplace_back();
    busy.from = begin_ + formats::Duration{n * kWindow};
    if (told) busy.goroutines = share(window.goroutines, process.processors);
    if (usable > 0) busy.threads = share(window.threads, usable);
    study.busy_seconds += busy.goroutines >= study.limits.busy || busy.threads >= study.limits.busy;
  }
}

}  // namespace tailcap::tail::go
