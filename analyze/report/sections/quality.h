// How far a capture can be trusted, in full: what was recorded, what is missing, what recording cost.
#pragma once

#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report {

// In a fixed order.
std::vector<FactLine> quality_lines(const model::Study& study);

}  // namespace tailcap::report
