// Requests as OpenMetrics: histograms with exemplars, outcomes, time by label.
#pragma once

#include "analyze/views/export/exported.h"

namespace tailcap::views {

// protobuf: as Prometheus' protobuf, with native histograms.
Exported export_openmetrics(const std::string& file, const pipeline::Options& chosen, bool protobuf,
                            const Write& write);

}  // namespace tailcap::views
