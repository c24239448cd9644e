// Finds stretches of seconds in which both hold: a process had no processor to spare, and a route of it was slower than
// in the rest of the recording. One of both is no trigger.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"

namespace tailcap::tail::load {

// This number of busy seconds in a row is sustained.
inline constexpr std::size_t kSustained = 2;
// People ask about factors: as for causes of slow requests.
inline constexpr double kSurge = 1.5;
inline constexpr std::int64_t kSurgeGap = 1'000'000;

// Fills study.triggers, longest difference first. rows: by route, as in study.routes; study.go is set.
void find_triggers(const model::RequestTable& table, const std::vector<const std::vector<std::uint32_t>*>& rows,
                   model::Study& study);

// Before the table has partitions: the rows of requests that triggers may name, a few for each route and stretch. rows:
// by route. go: how busy each process was. all: which requests are compared depends on their labels, so none is ruled
// out.
std::vector<std::uint32_t> perhaps_triggered(const model::RequestTable& table,
                                             const std::vector<const std::vector<std::uint32_t>*>& rows,
                                             const std::vector<model::GoStudy>& go, bool all);

}  // namespace tailcap::tail::load
