// Draws charts into files with gnuplot.
//
// Names from the capture reach gnuplot only as quoted text; it runs without the user's start-up file. The same charts
// make the same SVG. Needs the program gnuplot; where it is missing or fails, PlotSet::trouble says so and nothing
// is drawn.
#pragma once

#include <cstdint>

#include "analyze/model/figure/chart.h"
#include "analyze/model/figure/figure.h"

namespace tailcap::plot {

enum class Format : std::uint8_t { svg, png };

// On white, with titles.
model::PlotSet draw(const model::Charts& charts, Format format);

}  // namespace tailcap::plot
