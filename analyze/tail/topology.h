// Makes services of processes, and of the requests between them calls.
#pragma once

#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/model/study/topology.h"
#include "analyze/model/wire/endpoint_texts.h"

namespace tailcap::tail {

// ends: by ConnectionId. study: its begin and end are what rates are made of. Each request is counted once: one that
// was recorded at both ends as its client saw it.
model::Topology topology(const model::RequestTable& table, const std::vector<model::EndpointTexts>& ends,
                         const model::Study& study);

// One for each stretch of time in which requests began; on the wall clock's whole multiples of `window`, where that is
// known. Requests whose start is not known come first, in one without begin and end. Names are the same in all. Throws
// std::runtime_error for more than kMaxWindows.
inline constexpr std::size_t kMaxWindows = 10'000;
std::vector<model::Topology> topologies(const model::RequestTable& table, const std::vector<model::EndpointTexts>& ends,
                                        const model::Study& study, model::Duration window);

}  // namespace tailcap::tail
