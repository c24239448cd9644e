// A route's latency over time: median, p99 and slowest of each interval, with the episodes of the answers shaded.
#pragma once

#include <optional>
#include <vector>

#include "analyze/model/figure/chart.h"
#include "analyze/model/study/study.h"

namespace tailcap::report::charts {

// Unset: no request of the route has a known beginning.
std::optional<model::Chart> time_chart(const model::Study& study, const model::RouteStudy& route,
                                       const std::vector<model::Burst>& episodes);

}  // namespace tailcap::report::charts
