// A trace as a flame graph: requests below the one that caused them, as wide as they took and where they lie in time.
//
// What was under way at the same time on one level gets a row for each. Search, zoom and links as in
// analyze/flame/svg.h.
#pragma once

#include <string>

#include "analyze/model/study/flame.h"

namespace tailcap::flame {

// Texts must be printable and valid UTF-8.
std::string trace_svg(const model::TraceFlame& trace);

}  // namespace tailcap::flame
