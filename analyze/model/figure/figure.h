// A plot, drawn: what plot/ makes and report/ shows. And the colours that mean the same thing wherever they appear.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/request.h"

namespace tailcap::model {

struct Plot {
  std::string name;                  // unique in one report: "latency", "route-01-time"; a file name without extension
  std::string caption;               // what is to be seen, one sentence; printable(), not escaped
  std::optional<std::size_t> route;  // index into Study::routes; unset: about all of them
  std::string image;                 // an SVG document, or PNG bytes
};

struct PlotSet {
  std::vector<Plot> drawn;
  std::string trouble;  // why there are no plots; empty: there are
};

// "#rrggbb", distinguishable with colour vision deficiency (Okabe and Ito's set and its tints).
std::string_view colour_of(Phase phase);
inline constexpr std::size_t kCurveColours = 8;
std::string_view curve_colour(std::size_t i);  // of the i-th curve in a plot, i < kCurveColours

}  // namespace tailcap::model
