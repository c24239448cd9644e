// Keeps what recording costs within its budget: measures, decides, and carries out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "capture/budget/controller.h"
#include "capture/budget/cost_meter.h"
#include "capture/budget/share.h"
#include "capture/budget/statistics_switch.h"
#include "capture/probes/probes.h"
#include "formats/time.h"

namespace tailcap::capture::budget {

// Notes of the recorder (formats/FORMAT.md).
inline constexpr const char* kBudgetNote = "tailcap.sampling.budget";
inline constexpr const char* kStepNote = "tailcap.sampling.step";
inline constexpr const char* kWaitsNote = "tailcap.waits";

class Budget {
 public:
  // cpus: what it may cost, of all of them. Throws std::runtime_error where the kernel does not measure.
  // record_plaintext: whether probes at reads and writes of TLS are wanted.
  Budget(double cpus, Probes& probes, StatisticsSwitch& statistics, Share& share,
         std::function<void(bool)> record_plaintext, formats::Time now);

  // Call it at every turn.
  void turn(formats::Time now);
  // At most one of `of` connections is recorded from now on. note: as in Share::change; it is written in any case.
  void limit(std::uint32_t of, const std::function<void(formats::Time)>& note);
  // "budget 2 %: costs 1.7 %, 1 of 4 connections is recorded, without off-CPU intervals"
  std::string status() const;

 private:
  void carry_out(const Step& before, formats::Time now, const std::function<void(formats::Time)>& note = {});
  void switch_waits(formats::Time now);
  void no_look(formats::Time now);
  void note_step(formats::Time now);

  const double cpus_;
  Probes& probes_;
  Share& share_;
  const std::function<void(bool)> record_plaintext_;
  const bool extras_, waits_;
  CostMeter meter_;
  Controller controller_;
  double cost_ = 0;  // of the last seconds, as a share of all CPUs
  bool warned_ = false, warned_of_looks_ = false, failed_ = false;
};

}  // namespace tailcap::capture::budget
