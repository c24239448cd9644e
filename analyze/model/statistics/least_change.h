// What a percentile or a mean must change by to be worth a word: as much comes and goes with no change at all.
#pragma once

#include <cstdint>

namespace tailcap::model {

// As relative differences, between stretches of one recording.
inline constexpr double kLeastMedian = 0.10, kLeastP99 = 0.25;
// Wake-ups, interrupts and cold caches make as much on any machine. ns.
inline constexpr std::int64_t kLeastMedianGap = 100'000, kLeastP99Gap = 1'000'000;

}  // namespace tailcap::model
