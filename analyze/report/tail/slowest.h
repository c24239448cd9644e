// The slowest requests, a line each.
#pragma once

#include "analyze/model/figure/figure.h"
#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report {

// Empty: there are none.
render::Document slowest_requests(const model::Study& study, const model::RequestTable& requests,
                                  const ReportOptions& options, const model::PlotSet& figures);

}  // namespace tailcap::report
