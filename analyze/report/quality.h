// The box at the head of every report: what was recorded, what is missing, and whether to believe the rest.
#pragma once

#include <string>
#include <vector>

#include "analyze/flow/study.h"
#include "analyze/render/document.h"

namespace tailcap::report {

using render::Tone;
using QualityLine = render::Facts::Line;  // label: "events", "clock", …

// One sentence: can this be trusted?
QualityLine verdict(const flow::Study& study);
// Everything else, in a fixed order.
std::vector<QualityLine> quality_lines(const flow::Study& study);

}  // namespace tailcap::report
