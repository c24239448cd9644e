// A summary as one for each day (UTC).
#pragma once

#include <cstdint>
#include <map>

#include "formats/summary/summary.h"

namespace tailcap::summaries {

inline constexpr std::int64_t kSummaryDay = 86'400'000'000'000;  // ns

// By the day's midnight, ns since 1970. A capture over midnight is a part of each of its days; the events that it lost
// count on the first. The sum of the parts has the windows of the whole. Throws std::runtime_error where windows do not
// end at midnight.
std::map<std::int64_t, formats::Summary> by_day(formats::Summary&& whole);

}  // namespace tailcap::summaries
