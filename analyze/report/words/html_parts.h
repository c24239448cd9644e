// Drawings and phrases that more than one page has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::report {

// `text` is printable(), not HTML.
std::string element(std::string_view name, std::string_view text, std::string_view attributes = {});

// A bar of coloured stretches of known width, drawn to `scale` (the duration of the whole width).
struct Stretch {
  std::string_view name, colour;
  std::int64_t ns = 0;
};
std::string bar_svg(const std::vector<Stretch>& stretches, std::int64_t scale);
std::vector<Stretch> phase_stretches(const model::Request& row);

// Which version recorded the capture, how, and that the same capture makes the same report.
std::string made_by_text(const model::Study& study);

}  // namespace tailcap::report
