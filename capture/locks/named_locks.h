// Writes down the names of locks at which recorded threads wait, once each.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "capture/locks/lock_variables.h"
#include "capture/log/event_log.h"
#include "formats/event.h"

namespace tailcap::capture::locks {

class NamedLocks {
 public:
  // Both must outlive this object.
  NamedLocks(const scan::Processes& processes, EventLog& log) : variables_(processes), log_(log) {}

  void take(const formats::Event& event);                          // a wait, or the end of a process
  void forget(std::uint32_t pid) { variables_.forget(pid); }       // it runs another program
  void push(formats::Time now);                                    // names that are known since the last call
  void repeat(formats::Time now);                                  // all of them, in a keyframe
  void finish(formats::Time now, std::chrono::milliseconds most);  // waits for those that were asked for

 private:
  void note(formats::Time now, std::uint32_t pid, std::uint64_t address, std::string_view name);

  LockVariables variables_;
  EventLog& log_;
};

}  // namespace tailcap::capture::locks
