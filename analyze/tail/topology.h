// Makes services of processes, and of the requests between them calls.
#pragma once

#include <vector>

#include "analyze/flow/endpoint_texts.h"
#include "analyze/flow/request.h"
#include "analyze/flow/study.h"
#include "analyze/flow/topology.h"

namespace tailcap::tail {

// ends: by ConnectionId. study: its begin and end are what rates are made of. Each request is counted once: one that
// was recorded at both ends as its client saw it.
flow::Topology topology(const flow::RequestTable& table, const std::vector<flow::EndpointTexts>& ends,
                        const flow::Study& study);

// One for each stretch of time in which requests began; on the wall clock's whole multiples of `window`, where that is
// known. Requests whose start is not known come first, in one without begin and end. Names are the same in all. Throws
// std::runtime_error for more than kMaxWindows.
inline constexpr std::size_t kMaxWindows = 10'000;
std::vector<flow::Topology> topologies(const flow::RequestTable& table, const std::vector<flow::EndpointTexts>& ends,
                                       const flow::Study& study, flow::Duration window);

}  // namespace tailcap::tail
