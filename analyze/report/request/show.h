// `tailcap show`: one request, on the terminal and as a page.
#pragma once

#include <string>

#include "analyze/flow/detail.h"
#include "analyze/flow/lanes.h"
#include "analyze/flow/study.h"
#include "analyze/report/report.h"

namespace tailcap::report {

std::string text_show(const flow::Detail& detail, const flow::Study& study, const ReportOptions& options);
// around: what its processes did meanwhile.
std::string html_show(const flow::Detail& detail, const flow::Study& study, const flow::Lanes& around,
                      const ReportOptions& options);
// Every fact, one line; docs/JSON.md describes it. table: holds the texts of both rows.
std::string json_show(const flow::Detail& detail, const flow::Study& study, const flow::RequestTable& table);

}  // namespace tailcap::report
