// What the report says about what is in the file: what was masked, how certain that is, and what is left.
#pragma once

#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report {

// The credentials of recorded traffic are in the file.
bool unsafe(const model::Quality& quality);
std::vector<FactLine> masking_lines(const model::Quality& quality);

}  // namespace tailcap::report
