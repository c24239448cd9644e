// The slow requests of a route against its typical ones: a sentence at the top of the report, and a table, bars and
// requests to look at in the route's section.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/words/html_parts.h"
#include "analyze/report/words/options.h"

namespace tailcap::report::tail {

// For the route's section; empty: there is nothing to compare. courses: of its exemplars, ascending; those that are not
// there are drawn without the order of time.
render::Document comparison(const model::RouteStudy& route, const model::Study& study, const model::RequestTable& table,
                            const ReportOptions& options, std::span<const model::Course> courses);

// Its numbers only: the table of differences and who was to blame. Empty: there is nothing to compare.
render::Document evidence(const model::RouteStudy& route, const model::RequestTable& table);

// A request's labels, phase after phase; the order within a phase is not that of time. Empty: it has no partition.
std::vector<Stretch> label_stretches(const model::RequestTable& table, model::ExchangeId request);
std::vector<render::LegendEntry> group_legend();

}  // namespace tailcap::report::tail
