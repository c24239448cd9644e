// What recording costs, as a share of the CPU time of all CPUs: the recorder's own CPU time, the run time of its kernel
// programs, and the traps of probes in user space.
//
// Kernel programs are measured in a window of 25 ms at the end of every quarter of a second.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "capture/budget/statistics_switch.h"
#include "capture/probes/probes.h"
#include "formats/time.h"

namespace tailcap::capture::budget {

class CostMeter {
 public:
  CostMeter(const Probes& probes, StatisticsSwitch& statistics, formats::Time now);

  struct Cost {
    double seconds = 0;  // that it is of
    double recorder = 0, programs = 0, probes = 0;
    double waits = 0;  // of the programs: those that record off-CPU intervals
    double runs = 0;   // of the other programs, per second and CPU
    double all() const { return recorder + programs + probes; }
  };
  // Call it at every turn. A cost, four times a second.
  std::optional<Cost> turn(formats::Time now);
  // What was so far does not count.
  void restart(formats::Time now);
  // The kernel does not measure any more.
  bool failed() const { return failed_; }

 private:
  void begin(formats::Time now);

  const Probes& probes_;
  StatisticsSwitch& statistics_;
  const double cpus_;
  formats::Time began_ = formats::kNoTime, opened_ = formats::kNoTime;  // the period, the window
  std::uint64_t own_ = 0;                                               // ns when the period began
  Probes::RunTime runs_;                                                // when the window was opened
  bool failed_ = false;
};

}  // namespace tailcap::capture::budget
