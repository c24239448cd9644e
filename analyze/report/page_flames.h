// The flame graphs of a page: of the slow requests, and of single ones, which their rows link to.
#pragma once

#include <string>

#include "analyze/flow/exchange.h"
#include "analyze/flow/figure.h"

namespace tailcap::report {

// "flame-slow" and "samples-…": not among the plots.
bool is_flame(const flow::Figure& figure);
// Of the slow requests. Empty: there is none.
std::string slow_flame_html(const flow::Figures& figures);
// The section that shows them; empty: there are none.
std::string sampled_requests_html(const flow::Figures& figures);
// A link to the request's own; empty: it has none.
std::string samples_link(const flow::Figures& figures, flow::ExchangeId id);

}  // namespace tailcap::report
