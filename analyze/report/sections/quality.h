// The box at the head of every report: what was recorded, what is missing, and whether to believe the rest.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report {

// One sentence: can this be trusted?
FactLine verdict(const model::Study& study);
// Everything else, in a fixed order.
std::vector<FactLine> quality_lines(const model::Study& study);

}  // namespace tailcap::report
