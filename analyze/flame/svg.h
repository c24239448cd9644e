// A flame graph as an SVG that needs nothing else: frames upon their callers, as wide as what was spent in them.
//
// In a browser a click zooms, "Search" marks what fits a regular expression and says its share, and a link can do both:
// FILE.svg#search=EXPRESSION&zoom=FRAME. In a comparison red is more than typical and blue less.
#pragma once

#include <string>

#include "analyze/model/study/flame.h"

namespace tailcap::flame {

// Texts must be printable and valid UTF-8; they are escaped here. What would be narrower than a tenth of a pixel is
// left out.
std::string svg(const model::Flame& flame);

// The same to be put into a page: no script, names written in as far as there is room, the mouse finds the rest. Empty:
// nothing was seen.
std::string snapshot(const model::Flame& flame);

}  // namespace tailcap::flame
