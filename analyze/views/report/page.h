// A report as a page: with plots, flame graphs, the topology, and single requests in time.
#pragma once

#include <optional>
#include <string>

#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/request/lane_recorder.h"
#include "analyze/pipeline/request/lane_windows.h"
#include "analyze/report/report.h"
#include "analyze/views/flame/request_stacks.h"

namespace tailcap::views {

// What else a page reads in the second reading, beside the labels. options: as the analysis has them; must outlive it.
class PageReadings {
 public:
  // opened: the request at which the page opens; connection 0: none.
  explicit PageReadings(const pipeline::Options& options, model::ExchangeId opened = {})
      : stacks(options), lanes(options), all_lanes(opened) {}

  RequestStacks stacks;
  pipeline::LaneWindows lanes;
  pipeline::LaneRecorder all_lanes;
};

// HTML. logs: lines of log files beside requests; null: there are none. opened: what was recorded about options.opened.
std::string report_page(PageReadings& readings, const pipeline::Analysis& analysis,
                        const report::ReportOptions& options, const model::LogBook* logs = nullptr,
                        std::optional<render::Details> opened = {});

}  // namespace tailcap::views
