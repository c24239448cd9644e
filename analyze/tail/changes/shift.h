// Whether a percentile is another after a change than it was before.
//
// Two stretches of one recording differ by themselves: the machine drifts, neighbours come and go. So a difference is
// said to come with the change only where its interval is clear of 0 among all that were looked at, where it is worth a
// word, where it is more than what the percentile does within the time before and within the time after, and where it
// lies at the change: the requests next to it on both sides must show it as well.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/study/change_study.h"
#include "analyze/tail/rows/quantiles.h"

namespace tailcap::tail::changes {

// As relative differences. Between stretches of one recording as much comes and goes with no change at all.
inline constexpr double kLeastMedian = 0.10, kLeastP99 = 0.25;
// Wake-ups, interrupts and cold caches make as much on any machine.
inline constexpr std::int64_t kLeastMedianGap = 100'000, kLeastP99Gap = 1'000'000;
// It must be this many times the largest difference within either side. Sides are cut into kParts parts at most.
inline constexpr double kBeyondDrift = 1.5;
inline constexpr std::size_t kParts = 6, kLeastParts = 4;
// The share of the difference that those next to the change must show.
inline constexpr double kLeastAtOnce = 0.5;

// Requests of one route on one side of a change.
struct ChangeSide {
  Durations durations;
  Shortfall shortfall;
};

Sample sample_of(const ChangeSide& side);

struct ShiftTest {
  model::Shift shift;
  double p = 1;  // of a difference so large, were there none; 1 where it is refused
};

// The difference, its interval and its p; where the interval holds 0, that is the reason. Nothing of drift.
ShiftTest difference(const ChangeSide& before, const Sample& before_sample, const ChangeSide& after,
                     const Sample& after_sample, double q);
// With it. q: 0.5 or 0.99.
ShiftTest compare(const ChangeSide& before, const Sample& before_sample, const ChangeSide& after,
                  const Sample& after_sample, double q);

// Sets the verdicts, of all that were compared together.
void decide(std::vector<ShiftTest*>& all);

}  // namespace tailcap::tail::changes
