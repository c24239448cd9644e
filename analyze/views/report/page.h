// A report as a page: with plots, flame graphs, the topology, and single requests in time.
#pragma once

#include <string>

#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/request/lane_windows.h"
#include "analyze/report/report.h"
#include "analyze/views/flame/request_stacks.h"

namespace tailcap::views {

// HTML. stacks, lanes: of the second reading.
std::string report_page(const RequestStacks& stacks, pipeline::LaneWindows& lanes, const pipeline::Analysis& analysis,
                        const report::ReportOptions& options);

}  // namespace tailcap::views
