// Draws a study with gnuplot: distribution, course over time, and phases of slow requests.
//
// Names from the capture reach gnuplot only as quoted text; it runs without the user's start-up file. The same study
// makes the same SVG. Needs the program gnuplot; where it is missing or fails, Figures::trouble says so and nothing
// is drawn: a report without plots is still a report.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/study/figure.h"
#include "analyze/model/study/study.h"

namespace tailcap::plot {

enum class Format : std::uint8_t { svg, png };

struct PlotOptions {
  Format format = Format::svg;
  bool background = false;  // white, for files shown by themselves; otherwise the page's
  std::size_t routes = 12;  // routes that get plots of their own: those with most total time
  bool requests = true;     // false: only Go's collectors; it is no trouble if there are none
};

inline constexpr std::size_t kCurves = 8;  // curves in one plot: more cannot be distinguished

model::Figures draw(const model::Study& study, const PlotOptions& options);

}  // namespace tailcap::plot
