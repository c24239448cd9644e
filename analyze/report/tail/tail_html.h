// The tail study on the page: verdicts on top; per route bars of the difference, of bands, and of the requests to look at.
#pragma once

#include <string>

#include "analyze/flow/study.h"

namespace tailcap::report::tail {

// A box with a sentence per route; routes with a section of their own (the first `sections`) are linked. Empty: nothing was studied.
std::string verdicts_html(const flow::Study& study, const flow::TextPool& texts, std::size_t sections);

// For the route's section; empty: there is nothing to show.
std::string section_html(const flow::RouteStudy& route, const flow::Study& study, const flow::RequestTable& table);

}  // namespace tailcap::report::tail
