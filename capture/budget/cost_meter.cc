#include "capture/budget/cost_meter.h"

#include <unistd.h>

#include <algorithm>

#include "capture/host/clocks.h"
#include "capture/scan/proc.h"

namespace tailcap::capture::budget {
namespace {

using formats::Duration;
using formats::Time;

constexpr Duration kBeforeWindow{225'000'000}, kWindow{25'000'000};
// What a hit of a probe costs the program beside the kernel program's run: bench/RESULTS.md.
constexpr double kTrap = 500e-9;

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e9; }

}  // namespace

CostMeter::CostMeter(const Probes& probes, StatisticsSwitch& statistics, Time now)
    : probes_(probes),
      statistics_(statistics),
      cpus_(static_cast<double>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)))) {
  begin(now);
}

void CostMeter::begin(Time now) {
  began_ = now;
  own_ = own_cpu_time();
}

void CostMeter::restart(Time now) {
  if (known(opened_)) statistics_.turn(false);
  opened_ = formats::kNoTime;
  begin(now);
}

std::optional<CostMeter::Cost> CostMeter::turn(Time now) {
  if (failed_) return std::nullopt;
  if (!known(opened_)) {
    if (now - began_ < kBeforeWindow) return std::nullopt;
    failed_ = !statistics_.turn(true);
    runs_ = probes_.run_time();
    opened_ = monotonic_now();
    return std::nullopt;
  }
  if (now - opened_ < kWindow) return std::nullopt;
  const Probes::RunTime runs = probes_.run_time();
  const Time closed = monotonic_now();
  failed_ = !statistics_.turn(false);
  const double window = seconds(closed - opened_) * cpus_, period = seconds(closed - began_) * cpus_;
  Cost cost;
  cost.seconds = seconds(closed - began_);
  cost.recorder = static_cast<double>(own_cpu_time() - own_) / 1e9 / period;
  cost.programs = static_cast<double>(runs.time - runs_.time) / 1e9 / window;
  cost.waits = static_cast<double>(runs.waits - runs_.waits) / 1e9 / window;
  cost.runs = static_cast<double>(runs.others - runs_.others) / window;
  cost.probes = static_cast<double>(runs.function_hits - runs_.function_hits) * kTrap / window;
  opened_ = formats::kNoTime;
  begin(closed);
  return cost;
}

}  // namespace tailcap::capture::budget
