// How much a difference of durations matters.
#pragma once

#include <cstdint>

#include "analyze/model/study/verdict.h"

namespace tailcap::tail::verdict {

// Wake-ups, interrupts and cold caches make smaller differences on any machine.
inline constexpr std::int64_t kLeastGap = 1'000'000;
inline constexpr double kLeastRatio = 1.5;

model::VerdictLevel level_of(std::int64_t slow, std::int64_t typical);

}  // namespace tailcap::tail::verdict
