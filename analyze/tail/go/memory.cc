#include "analyze/tail/go/memory.h"

#include <algorithm>
#include <iterator>

#include "analyze/model/machine/container.h"
#include "analyze/model/machine/memory_limits.h"
#include "formats/thread_event.h"
#include "ground/recorder_notes.h"

namespace tailcap::tail::go {

using formats::known;
using formats::Time;
using model::GoMemory;

namespace {

constexpr std::size_t kMaxCgroups = 4096, kMostThrash = 100;
constexpr double kTimes = 5;                // as often as elsewhere
constexpr double kLeastRate = 2;            // a second
constexpr double kManyAnyway = 10;          // a second; where elsewhere is not known
constexpr std::size_t kLeastElsewhere = 3;  // seconds
constexpr std::int64_t kPause = 2;          // seconds between two that are one

double rate(std::uint64_t collections, std::size_t seconds) {
  return static_cast<double>(collections) / static_cast<double>(std::max<std::size_t>(seconds, 1));
}

std::vector<GoMemory::Thrash> thrash_of(const GoMemory& memory) {
  std::vector<GoMemory::Thrash> out;
  const auto limit = static_cast<double>(memory.limit());
  if (limit <= 0) return out;
  const auto near = [&](const GoMemory::Second& s) {
    return static_cast<double>(s.resident) > GoMemory::kNear * limit;
  };
  std::uint64_t collections = 0;
  std::size_t elsewhere = 0;
  for (std::size_t i = 0; i < memory.seconds.size(); ++i) {
    const auto& s = memory.seconds[i];
    // The memory is read once a second: it may have come near within one.
    const bool at_edge =
        (i > 0 && near(memory.seconds[i - 1])) || (i + 1 < memory.seconds.size() && near(memory.seconds[i + 1]));
    if (s.resident == 0 || near(s) || at_edge) continue;
    collections += s.collections;
    ++elsewhere;
  }
  const double usual = elsewhere >= kLeastElsewhere ? rate(collections, elsewhere) : -1;
  const double least = usual < 0 ? kManyAnyway : std::max(kLeastRate, kTimes * usual);
  std::size_t of_last = 0;
  for (const auto& s : memory.seconds) {
    if (!near(s) || static_cast<double>(s.collections) < least) continue;
    const formats::Duration second{Memory::kWindow};
    if (out.empty() || s.from - out.back().to > kPause * second) {
      if (out.size() >= kMostThrash) break;
      out.push_back({s.from, s.from, 0, 0, usual, 0});
      of_last = 0;
    }
    GoMemory::Thrash& last = out.back();
    last.to = s.from + second;
    last.collections += s.collections;
    last.resident = std::max(last.resident, s.resident);
    last.per_second = rate(last.collections, ++of_last);
  }
  return out;
}

}  // namespace

GoMemory::Second* Memory::second(Process& process, Time at) {
  const std::int64_t n = number(at);
  const auto known = process.seconds.find(n);
  if (known != process.seconds.end()) return &known->second;
  if (n < 0 || windows_ >= kMaxWindows) return nullptr;
  ++windows_;
  GoMemory::Second& fresh = process.seconds[n];
  fresh.from = begin_ + formats::Duration{n * kWindow};
  return &fresh;
}

void Memory::note(std::string_view value, Time at) {
  const auto limit = model::MemoryLimits::parse(value);
  if (!limit || (groups_.size() >= kMaxCgroups && !groups_.contains(limit->cgroup))) return;
  Group& group = groups_[limit->cgroup];
  group.limit = limit->limit;
  if (windows_ < kMaxWindows) windows_ += group.used.insert_or_assign(number(at), limit->used).second;
}

void Memory::push(const formats::Event& event) {
  if (!known(event.time)) return;
  if (!known(begin_)) begin_ = event.time;
  if (const auto* note = std::get_if<formats::Note>(&event.body)) {
    if (note->key == ground::kMemoryNote) this->note(note->value, event.time);
    return;
  }
  if (const auto* info = std::get_if<formats::TaskInfo>(&event.body)) {
    if (event.thread.pid == event.thread.tid && !info->cgroup.empty() && cgroups_.size() < kMaxCgroups)
      cgroups_[event.thread.pid] = info->cgroup;
    return;
  }
  if (std::holds_alternative<formats::GoProgram>(event.body)) {
    processes_.try_emplace(event.thread.pid);
    return;
  }
  const auto* heap = std::get_if<formats::GoHeap>(&event.body);
  const auto* use = std::get_if<formats::ProcessUse>(&event.body);
  const auto* runtime = std::get_if<formats::GoRuntime>(&event.body);
  const bool collects = runtime && runtime->phase == formats::GoPhase::gc_begin;
  if (!heap && !use && !collects) return;  // as nearly all events
  const auto at = processes_.find(event.thread.pid);
  if (at == processes_.end()) return;
  Process& process = at->second;
  if (heap) {
    process.limit = heap->limit;
    process.percent = heap->percent;
    process.heap_told = true;
    if (GoMemory::Second* const s = second(process, event.time)) {
      s->heap = heap->used;
      s->live = heap->live;
    }
  } else if (GoMemory::Second* const s = second(process, event.time)) {
    if (use) s->resident = std::max(s->resident, use->resident);
    s->collections += collects;
  }
}

void Memory::fill(std::uint32_t pid, Time end, model::GoStudy& study) const {
  const auto at = processes_.find(pid);
  if (at == processes_.end()) return;
  const Process& process = at->second;
  GoMemory& memory = study.memory;
  memory.heap_told = process.heap_told;
  memory.own_limit = process.limit;
  memory.percent = process.percent;
  if (const auto group = cgroups_.find(pid); group != cgroups_.end())
    for (const auto& [name, read] : groups_)
      if (model::in_cgroup(group->second, name) && (memory.group_limit == 0 || read.limit < memory.group_limit)) {
        memory.group_limit = read.limit;
        memory.group = name;
      }
  const auto group = groups_.find(memory.group);
  std::uint64_t resident = 0;
  for (const auto& [number, s] : process.seconds) {
    // A second that the recording does not fill has fewer collections than others.
    if (s.from + formats::Duration{kWindow} > end) continue;
    memory.seconds.push_back(s);
    // It is read about once a second: now and then twice in one, and not in the next.
    if (memory.seconds.back().resident == 0) memory.seconds.back().resident = resident;
    resident = s.resident;
    if (group == groups_.end()) continue;
    if (const auto used = group->second.used.upper_bound(number); used != group->second.used.begin())
      memory.seconds.back().group_used = std::prev(used)->second;
  }
  memory.thrash = thrash_of(memory);
}

}  // namespace tailcap::tail::go
