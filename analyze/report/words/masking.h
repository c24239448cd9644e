// What the report says about what is in the file: what was masked, how certain that is, and what is left.
#pragma once

#include <vector>

#include "analyze/flow/study.h"
#include "analyze/report/quality.h"

namespace tailcap::report {

// The credentials of recorded traffic are in the file.
bool unsafe(const flow::Quality& quality);
std::vector<QualityLine> masking_lines(const flow::Quality& quality);

}  // namespace tailcap::report
