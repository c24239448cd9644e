// The figures of a page: plots, and flame graphs of the slow requests and of single ones, which their rows link to.
#pragma once

#include <optional>
#include <string>

#include "analyze/model/figure/figure.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/render/document.h"

namespace tailcap::report {

render::Figure drawn(const model::Plot& figure);

// "flame-slow" and "samples-…": not among the plots.
bool is_flame(const model::Plot& figure);
// The flame graph of the slow requests.
std::optional<render::Figure> slow_flame(const model::PlotSet& figures);
// The section with the flame graphs of single requests; empty: there are none.
render::Document sampled_requests(const model::PlotSet& figures);
// The anchor of the request's own flame graph; empty: it has none.
std::string samples_anchor(const model::PlotSet& figures, model::ExchangeId id);

}  // namespace tailcap::report
