// How far a capture can be trusted, in one line: the first of every report.
#pragma once

#include <string>

#include "analyze/model/study/study.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report {

// "Complete: 1.93 s, 800 requests (both ends recorded); no events lost."
FactLine quality_line(const model::Study& study);
// The same without what it says of requests: "complete, no events lost".
FactLine data_line(const model::Study& study);

// That line; below it whose TLS was not read, and the requests that failed, where there are any: "39 × 5xx (1.3 %), 2
// broken off (0.1 %)." How they ended says nothing of how far the capture can be trusted.
render::Facts head_facts(const model::Study& study);

// "the first 9.54 s of 1 h 00 min", "15.2 s of 1 h 00 min, from 29 min 50 s on": what was read, where that is only a
// part (Quality::read_from, read_until).
std::string part_read_text(const model::Quality& quality);

}  // namespace tailcap::report
