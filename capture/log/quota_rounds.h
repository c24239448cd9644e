// CPU quotas of the targets' cgroups, read once a second into the file: all of them, or in turns where they are many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include "capture/host/quota.h"
#include "capture/log/event_log.h"
#include "capture/log/statements.h"

namespace tailcap::capture {

class QuotaRounds {
 public:
  QuotaRounds(EventLog& log, Statements& statements) : log_(log), statements_(statements) {}

  bool due(formats::Time now) const;
  // Processes that are left out have their turn in a later call.
  void push(formats::Time now, const std::unordered_set<std::uint32_t>& processes);

 private:
  void count_unread(formats::Time now, std::size_t processes);

  EventLog& log_;
  Statements& statements_;
  Quotas quotas_;
  formats::Time read_ = formats::kNoTime;
  std::uint32_t next_ = 0;  // the process at which the next round begins
};

}  // namespace tailcap::capture
