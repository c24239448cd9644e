// The box at the head of every report: what was recorded, what is missing, and whether to believe the rest.
#pragma once

#include <string>
#include <vector>

#include "analyze/flow/study.h"

namespace tailcap::report {

enum class Tone : std::uint8_t {
  plain,
  care,   // limits what can be said
  alarm,  // must not be overlooked
};

struct QualityLine {
  Tone tone = Tone::plain;
  std::string label;  // "events", "clock", …
  std::string text;   // printable, one paragraph
};

// One sentence: can this be trusted?
QualityLine verdict(const flow::Study& study);
// Everything else, in a fixed order.
std::vector<QualityLine> quality_lines(const flow::Study& study);

}  // namespace tailcap::report
