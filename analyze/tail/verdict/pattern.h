// How requests lie in time.
#pragma once

#include <vector>

#include "analyze/model/crowd.h"
#include "analyze/model/study/study.h"

namespace tailcap::tail::verdict {

// Fills when, pattern and the rate of bursts. requests: each from its start to its end; at least one.
void note_pattern(std::vector<model::Crowd::Interval> requests, const model::Study& study, model::Verdict& out);

}  // namespace tailcap::tail::verdict
