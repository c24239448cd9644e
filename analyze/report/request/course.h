// A request's time label by label, and that of what it caused, as lanes of the waterfall.
#pragma once

#include <string>
#include <vector>

#include "analyze/report/request/waterfall.h"

namespace tailcap::report {

// Its labels by their time, the first few: "sleeping 30.1 ms (50.2 %), waiting for a lock 22.7 ms (37.9 %)"; empty:
// most of it is not known.
std::string labels_text(const model::RequestDetail& end);
// What kept this end from going on; no bars: not known.
WaterfallLane course_lane(const model::Detail& detail, const model::RequestDetail& end, Time zero);
// One for each request below on the critical path; the others in `beside`, a line each.
std::vector<WaterfallLane> lanes_below(const model::Detail& detail, Time zero, std::vector<std::string>& beside);

}  // namespace tailcap::report
