// Turns what the kernel counts as lost, or skipped, into loss events.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "capture/log/event_log.h"
#include "capture/probes/probes.h"

namespace tailcap::capture {

class LossCounter {
 public:
  // Both must outlive this.
  LossCounter(Probes& probes, EventLog& log);

  // Losses since the last time.
  void count(formats::Time now);
  // Events for which the kernel ran no program: this costs more to ask for, so not at every tick.
  void count_skipped_runs(formats::Time now);
  void add_bad_record() { bad_records_++; }
  // Up to when losses have been counted.
  formats::Time until() const { return until_; }

 private:
  Probes& probes_;
  EventLog& log_;
  std::vector<std::uint64_t> kernel_losses_;  // as counted up to now, rows of kinds
  std::unordered_map<std::string, std::uint64_t> skipped_runs_;
  std::uint64_t bad_records_ = 0, bad_counted_ = 0;
  formats::Time until_, skipped_until_;
};

}  // namespace tailcap::capture
