// The slowest requests, a line each.
#pragma once

#include "analyze/flow/figure.h"
#include "analyze/flow/study.h"
#include "analyze/render/document.h"
#include "analyze/report/report.h"

namespace tailcap::report {

// Empty: there are none.
render::Document slowest_requests(const flow::Study& study, const flow::RequestTable& requests,
                                  const ReportOptions& options, const flow::Figures& figures);

}  // namespace tailcap::report
