// The tail study on the page: verdicts on top; per route bars of the difference, of bands, and of the requests to look
// at.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analyze/flow/study.h"
#include "analyze/report/html_parts.h"

namespace tailcap::report::tail {

// A box with a sentence per route; routes with a section of their own (the first `sections`) are linked. Empty: nothing
// was studied.
std::string verdicts_html(const flow::Study& study, const flow::TextPool& texts, std::size_t sections);

// For the route's section; empty: there is nothing to show. courses: of its exemplars, ascending; those that are not
// there are drawn without the order of time.
std::string section_html(const flow::RouteStudy& route, const flow::Study& study, const flow::RequestTable& table,
                         std::span<const flow::Course> courses);

// A request's labels, phase after phase; the order within a phase is not that of time. Empty: it has no partition.
std::vector<Stretch> label_stretches(const flow::RequestTable& table, flow::ExchangeId request);
std::string group_legend_html();

}  // namespace tailcap::report::tail
