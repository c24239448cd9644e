#include "capture/locks/named_locks.h"

#include <string>
#include <variant>

#include "ground/recorder_notes.h"
#include "ground/text.h"

namespace tailcap::capture::locks {

using namespace formats;

namespace {

constexpr int kFutex = 202;  // events have x86-64's numbers on every machine

}  // namespace

void NamedLocks::take(const Event& event) {
  if (const auto* off = std::get_if<OffCpu>(&event.body)) {
    if (off->syscall == kFutex) variables_.waited(event.thread.pid, off->argument0);
  } else if (std::holds_alternative<TaskExit>(event.body) && event.thread.pid == event.thread.tid) {
    variables_.forget(event.thread.pid);
  }
}

void NamedLocks::note(Time now, std::uint32_t pid, std::uint64_t address, std::string_view name) {
  const std::string value = ground::hex_text(address) + " " + std::string(name);
  log_.push({now, {pid, pid}, Note{ground::kLockNote, value}});
}

void NamedLocks::push(Time now) {
  for (const auto& lock : variables_.tick()) note(now, lock.pid, lock.address, lock.name);
}

void NamedLocks::repeat(Time now) {
  for (const auto& [lock, name] : variables_.all()) note(now, lock.first, lock.second, name);
}

void NamedLocks::finish(Time now, std::chrono::milliseconds most) {
  variables_.wait(most);
  push(now);
}

}  // namespace tailcap::capture::locks
