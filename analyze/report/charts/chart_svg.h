// Draws a chart on a page.
#pragma once

#include "analyze/model/figure/chart.h"
#include "analyze/render/document.h"

namespace tailcap::report::charts {

inline constexpr double kNarrow = 560, kWide = 860;  // of a drawing, in its own units

render::Figure chart_figure(const model::Chart& chart, double width = kNarrow);

}  // namespace tailcap::report::charts
