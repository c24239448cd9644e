// Routes: a table of all that are shown, then a section for each.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "analyze/model/figure/figure.h"
#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report {

// Indices of the `most` routes with most total time: first those served, which are what the service answers for, then
// those made.
std::vector<std::size_t> shown_routes(const model::Study& study, std::size_t most);

// On a page the routes that are not shown are one row. within: what the intervals are about.
render::Document route_tables(const model::Study& study, const std::vector<std::size_t>& shown, bool page,
                              const std::string& within = "this recording");

// The first options.details of them that have requests with a duration are taken apart by label and by phase.
render::Document route_sections(const model::Study& study, const model::RequestTable& table,
                                const std::vector<std::size_t>& shown, const ReportOptions& options,
                                const model::PlotSet& figures, std::span<const model::Course> courses);

std::string route_anchor(std::size_t route);  // of its section

}  // namespace tailcap::report
