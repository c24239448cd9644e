// Bands by time of day, and what is outside of them.
//
// The days that are compared with each other, the typical value of each step and the width of the bands follow from the
// days themselves: each day is held against the median of the others, and its farthest run of steps is one number. The
// band is as wide as the next such number is expected to be (Student's prediction interval), so that one day in
// 1 / level is outside by chance, over all metrics of a service. docs/summaries.md.
#pragma once

#include <cstdint>

#include "analyze/model/summaries/baseline.h"
#include "formats/summary/summary.h"

namespace tailcap::summaries {

inline constexpr std::size_t kLeastDays = 7;     // with fewer, the interval for the next one is wider than any change
inline constexpr std::size_t kStepsOutside = 3;  // in a row

struct BaselineOptions {
  std::int64_t cycle = 86'400'000'000'000;  // ns: what repeats
  std::int64_t steps = 24;                  // in a cycle
  double level = 0.01;                      // false alarms a day and service
};

// known: at least one summary's windows. fresh: null, or what is checked. Throws std::runtime_error: the steps are no
// multiple of the windows.
model::BaselineStudy baseline_of(const formats::Summary& known, const formats::Summary* fresh,
                                 const BaselineOptions& options);

}  // namespace tailcap::summaries
