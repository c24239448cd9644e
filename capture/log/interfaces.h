// The network interfaces of the recorder's namespace and of its targets', on their way into the file.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "capture/links/links.h"
#include "capture/log/event_log.h"
#include "capture/log/statements.h"

namespace tailcap::capture {

class Interfaces {
 public:
  Interfaces(EventLog& log, Statements& statements) : log_(log), statements_(statements) {}

  // Lists those of the namespaces that the processes are in. Call it while the recorder may enter them.
  void find(const std::set<std::uint32_t>& processes);
  // All that are known, in a keyframe.
  void push(formats::Time now);
  void push_changes(formats::Time now);

 private:
  EventLog& log_;
  Statements& statements_;
  std::optional<links::Links> links_;
};

}  // namespace tailcap::capture
