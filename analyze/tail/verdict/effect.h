// How much a difference of durations matters.
#pragma once

#include <cstdint>

#include "analyze/model/study/verdict.h"
#include "analyze/tail/verdict/surroundings.h"

namespace tailcap::tail::verdict {

// Wake-ups, interrupts and cold caches make smaller differences on any machine.
inline constexpr std::int64_t kLeastGap = 1'000'000;
inline constexpr double kLeastRatio = 1.5;

model::VerdictLevel level_of(std::int64_t slow, std::int64_t typical);
// The level of what every request waits for, `typical` ns in all. A note, but for a queue that much slower requests of
// another route fill. row: one of the requests.
model::VerdictLevel level_of_usual(const model::VerdictPart& part, std::uint32_t row, std::int64_t typical,
                                   const VerdictContext& around);

}  // namespace tailcap::tail::verdict
