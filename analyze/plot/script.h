// A chart as a gnuplot script: numbers and quoted strings only. It begins from gnuplot's defaults and leaves the
// terminal alone.
#pragma once

#include <string>
#include <string_view>

#include "analyze/model/figure/chart.h"

namespace tailcap::plot {

struct Script {
  std::string text;
  unsigned height = 380;  // at a width of 760
};

Script script_of(const model::Chart& chart, bool titled);
Script script_of(const model::BarChart& chart, bool titled);

// A gnuplot string: single quotes, in which gnuplot replaces nothing; misleading characters and bytes that are no
// UTF-8 become '?', at most `longest` characters, the middle left out.
std::string gnuplot_string(std::string_view text, std::size_t longest = 60);

}  // namespace tailcap::plot
