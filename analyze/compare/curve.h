// How the durations of all runs of a side are distributed, for drawing.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "analyze/model/gate/run.h"

namespace tailcap::compare {

// Durations (ns, ascending) with the share of requests that took longer; dense where few are longer.
std::vector<std::pair<std::int64_t, double>> curve_of(std::span<const model::gate::RouteRun* const> runs);

}  // namespace tailcap::compare
