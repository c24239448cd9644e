// The charts of a report as gnuplot scripts. Each begins from gnuplot's defaults and leaves the terminal alone.
#pragma once

#include <optional>
#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::plot {

struct Chart {
  std::string script;  // empty: nothing to draw
  std::string caption;
  unsigned height = 380;  // at a width of 760
};

// Share of requests slower than a duration, both axes logarithmic. `route` unset: the routes with most total time,
// up to kCurves.
Chart latency_chart(const model::Study& study, std::optional<std::size_t> route, bool titled);

// p50, p99 and slowest of each interval of time, with what was lost shaded.
Chart time_chart(const model::Study& study, std::size_t route, bool titled);

// Phases and labels of fast and of slow requests, as shares of their mean duration.
Chart phases_chart(const model::Study& study, std::size_t route, bool titled);

// Collections, pauses and the requests they hit, of one Go process.
Chart collector_chart(const model::Study& study, std::size_t process, bool titled);

// "GET /users/{}", "served: …" or "made: …" where both roles are in the study.
std::string route_name(const model::Study& study, std::size_t route);

}  // namespace tailcap::plot
