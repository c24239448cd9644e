// How a route's latency goes with what else was under way, in sentences.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report::tail {

// Labelled lines for the route's section; only what there is to say.
std::vector<FactLine> load_lines(const model::RouteStudy& route, const model::TextPool& texts);

// How requests came, for below the percentiles; empty: nothing to warn of.
std::string arrivals_text(const model::Study& study);

void append_load(JsonWriter& json, const model::RouteStudy& route, const model::TextPool& texts);
void append_arrivals(JsonWriter& json, const model::Arrivals& arrivals);

}  // namespace tailcap::report::tail
