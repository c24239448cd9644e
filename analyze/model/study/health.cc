#include "analyze/model/study/health.h"

namespace tailcap::model {

HealthState state_of(const HealthRow& row, const HealthCell& cell) {
  constexpr double kFailing = 0.01, kDown = 0.2;  // shares of errors
  constexpr double kSlow = 1.5, kVerySlow = 3;    // times its usual p99
  constexpr std::int64_t kLeastGap = 1'000'000;   // ns: less comes and goes on any machine
  if (cell.requests == 0) return HealthState::nothing;
  const double errors = static_cast<double>(cell.errors) / static_cast<double>(cell.requests);
  if (errors >= kDown) return HealthState::down;
  if (errors >= kFailing) return HealthState::failing;
  if (cell.timed < Health::kFewest) {
    const bool slower = row.p99.count() > 0 && cell.p99.count() - row.p99.count() >= kLeastGap &&
                        static_cast<double>(cell.p99.count()) >= kVerySlow * static_cast<double>(row.p99.count());
    return slower ? HealthState::few_slow : HealthState::few;
  }
  const auto p99 = static_cast<double>(cell.p99.count()), usual = static_cast<double>(row.p99.count());
  if (cell.p99.count() - row.p99.count() < kLeastGap || p99 < kSlow * usual) return HealthState::good;
  return p99 < kVerySlow * usual ? HealthState::slow : HealthState::very_slow;
}

}  // namespace tailcap::model
