// How a route's latency goes with what else was under way, in sentences.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report::tail {

inline constexpr std::uint64_t kLeastForP95 = 100;  // requests in a band; fewer have none

// Labelled lines for the route's section; only what there is to say.
std::vector<FactLine> load_lines(const model::RouteStudy& route, const model::TextPool& texts);

// How requests came, for below the percentiles; empty: nothing to warn of.
std::string arrivals_text(const model::Study& study);

}  // namespace tailcap::report::tail
