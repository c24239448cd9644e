#include <algorithm>

#include "capture/stacks/code_files.h"

namespace tailcap::capture::stacks {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxMakers = 4096;
constexpr auto kPause = 1s, kLongestPause = 10s;  // between two readings
constexpr int kShare = 20;                        // a pause is this many times as long as a reading
constexpr auto kWithoutNames = 10s;               // until a process that had none is looked at again

}  // namespace

std::shared_ptr<CodeFile> MadeCode::next(std::uint32_t pid, const std::shared_ptr<CodeFile>& dump,
                                         Clock::time_point now) {
  if (processes_.size() >= kMaxMakers && !processes_.contains(pid)) return nullptr;
  Process& process = processes_[pid];
  if (dump && process.next.dump != dump) {
    process.next.dump = dump;
    process.none = false;
  }
  if (process.next.code) return process.next.code;
  if (process.none && now < process.due) return nullptr;
  process.next.pid = pid;
  process.next.code = std::make_shared<CodeFile>("[unknown]");
  process.next.code->read().ready = false;
  process.next.code->read().settled = false;
  return process.next.code;
}

std::optional<MadeCode::Reading> MadeCode::take(Clock::time_point now, bool all, Clock::time_point& due) {
  due = Clock::time_point::max();
  for (auto& [pid, process] : processes_) {
    if (!process.next.code) continue;
    if (all || process.due <= now) {
      const Reading out = process.next;
      process.next.code = nullptr;
      return out;
    }
    due = std::min(due, process.due);
  }
  return std::nullopt;
}

void MadeCode::done(const Reading& reading, Clock::duration took, bool found, Clock::time_point now) {
  const auto at = processes_.find(reading.pid);
  if (at == processes_.end()) return;
  Process& process = at->second;
  process.next.process = reading.process;
  process.next.device = reading.device;
  process.next.inode = reading.inode;
  process.none = !found;
  process.due = now + (found ? std::clamp<Clock::duration>(kShare * took, kPause, kLongestPause) : kWithoutNames);
  if (process.ended) forget(reading.pid);
}

void MadeCode::forget(std::uint32_t pid) {
  const auto at = processes_.find(pid);
  if (at == processes_.end()) return;
  at->second.ended = true;
  at->second.due = {};
  if (!at->second.next.code) processes_.erase(at);
}

bool MadeCode::empty() const {
  return std::ranges::all_of(processes_, [](const auto& each) { return each.second.next.code == nullptr; });
}

}  // namespace tailcap::capture::stacks
