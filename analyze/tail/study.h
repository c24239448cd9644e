// The request table in numbers: routes with quantiles, bands, curves, the slowest requests.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/flow/request.h"
#include "analyze/flow/study.h"
#include "analyze/tail/slow/links.h"

namespace tailcap::tail {

// How the end of a request limits what can be said about durations.
enum class Standing : std::uint8_t {
  clean,      // its duration counts
  doubtful,   // its duration is unknown, or its borders lie in lost bytes or events
  in_flight,  // it began before the recording or was not over at its end
  failed,     // it broke off: it has an end, but no complete response
};
Standing standing_of(const flow::Request& row);

// Adds up the requests of quality: requests, complete, incomplete, unknown, tainted.
void count_requests(const flow::RequestTable& table, flow::Quality& quality);

// Fills routes and slowest from the rows (sorted, with routes). study.begin and study.end are set.
void study_requests(const flow::RequestTable& table, flow::Study& study);

// One route; rows: indexes in the order of start. links: where the table has partitions or causes.
flow::RouteStudy study_route(const flow::RequestTable& table, const std::vector<std::uint32_t>& rows,
                             const flow::Study& study, const slow::Links* links = nullptr);

}  // namespace tailcap::tail
