// Go's collector in one process: its cycles, how long the world was stopped each time, and the requests that it hit.
#pragma once

#include <vector>

#include "analyze/model/figure/chart.h"
#include "analyze/model/study/study.h"

namespace tailcap::report::charts {

// Charts of the first processes with pauses: "gc", "gc-02", …
std::vector<model::Chart> collector_charts(const model::Study& study);

}  // namespace tailcap::report::charts
