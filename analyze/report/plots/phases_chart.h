// Phases and labels of fast and of slow requests of a route, as shares of their mean duration.
#pragma once

#include <optional>

#include "analyze/model/figure/chart.h"
#include "analyze/model/study/study.h"

namespace tailcap::report::plots {

// Unset: no request has a known duration.
std::optional<model::BarChart> phases_chart(const model::RouteStudy& route);

}  // namespace tailcap::report::plots
