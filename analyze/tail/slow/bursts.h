// Clusters in time: of the slow requests there are as many independent ones as they came in bursts.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/study/tail_study.h"

namespace tailcap::tail::slow {

struct RequestInterval {
  std::int64_t start = 0, end = 0;  // ns, of one request
};

// Requests with less than kBurstGap between them are one burst. In order of time.
std::vector<model::Burst> bursts_of(std::vector<RequestInterval> requests);

// How many bursts that many requests of these lengths would make if they began at random in [begin, end).
double bursts_by_chance(const std::vector<RequestInterval>& requests, std::int64_t begin, std::int64_t end);

// Fills bursts, largest_burst, largest_burst_at and bursts_if_spread. A burst ends where no slow request was under way
// for kBurstGap. begin, end: of the recording.
void find_bursts(std::vector<RequestInterval> slow, std::int64_t begin, std::int64_t end, model::TailStudy& out);

inline constexpr std::int64_t kBurstGap = 100'000'000;  // one incident seldom pauses longer

}  // namespace tailcap::tail::slow
