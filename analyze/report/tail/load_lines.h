// How a route's latency goes with what else was under way, in sentences.
#pragma once

#include <string>
#include <vector>

#include "analyze/flow/study.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/quality.h"

namespace tailcap::report::tail {

// Labelled lines for the route's section; only what there is to say.
std::vector<QualityLine> load_lines(const flow::RouteStudy& route, const flow::TextPool& texts);

// How requests came, for below the percentiles; empty: nothing to warn of.
std::string arrivals_text(const flow::Study& study);

void append_load(JsonWriter& json, const flow::RouteStudy& route, const flow::TextPool& texts);
void append_arrivals(JsonWriter& json, const flow::Arrivals& arrivals);

}  // namespace tailcap::report::tail
