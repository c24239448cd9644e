// Clusters in time: of the slow requests there are as many independent ones as they came in bursts.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/crowd.h"
#include "analyze/model/study/tail_study.h"

namespace tailcap::tail::slow {

// Requests, each from its start to its end, with less than kBurstGap between them are one burst. In order of time.
std::vector<model::Burst> bursts_of(std::vector<model::Crowd::Interval> requests);

// How many bursts that many requests of these lengths would make if they began at random in [begin, end).
double bursts_by_chance(const std::vector<model::Crowd::Interval>& requests, std::int64_t begin, std::int64_t end);

// Fills bursts, largest_burst, largest_burst_at and bursts_if_spread. A burst ends where no slow request was under way
// for kBurstGap. begin, end: of the recording.
void find_bursts(std::vector<model::Crowd::Interval> slow, std::int64_t begin, std::int64_t end, model::TailStudy& out);

inline constexpr std::int64_t kBurstGap = 100'000'000;  // one incident seldom pauses longer

}  // namespace tailcap::tail::slow
