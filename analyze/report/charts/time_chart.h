// A route's latency over time: median, p99 and slowest of each interval, with the episodes of the answers shaded.
#pragma once

#include <optional>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/render/document.h"

namespace tailcap::report::charts {

// Drawings over the whole recording are enlarged together.
inline constexpr const char* kRecordingAxis = "recording";

// Unset: no request of the route has a known beginning.
std::optional<render::Figure> time_chart(const model::Study& study, const model::RouteStudy& route,
                                         const std::vector<model::Burst>& episodes);

}  // namespace tailcap::report::charts
