// The share of requests that took longer than a duration.
#pragma once

#include <optional>
#include <vector>

#include "analyze/model/figure/chart.h"
#include "analyze/model/study/study.h"

namespace tailcap::report::charts {

// routes: indexes into study.routes; a curve for each of the first kCurveColours that have any. A single one also has
// the intervals of its percentiles. Unset: there is nothing to draw.
std::optional<model::Chart> latency_chart(const model::Study& study, const std::vector<std::size_t>& routes);

}  // namespace tailcap::report::charts
