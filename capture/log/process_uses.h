// CPU time and memory of the recorded processes, read once a second into the file: all of them, or in turns where they
// are many.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>

#include "capture/log/event_log.h"
#include "formats/recorder_event.h"
#include "formats/time.h"

namespace tailcap::capture {

// What a process used, by the kernel's own counts; nothing: it has ended.
std::optional<formats::ProcessUse> process_use(std::uint32_t pid);

class ProcessUses {
 public:
  explicit ProcessUses(EventLog& log) : log_(log) {}

  // Processes that are left out have their turn in a later call.
  void push(formats::Time now, const std::unordered_set<std::uint32_t>& processes);

 private:
  EventLog& log_;
  std::uint32_t next_ = 0;  // the process at which the next round begins
};

}  // namespace tailcap::capture
