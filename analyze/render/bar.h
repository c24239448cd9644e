// A horizontal bar of a table's cell, in SVG that is as wide as the cell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ground/svg.h"

namespace tailcap::render {

// units: of the whole width. The caller closes the element.
inline ground::Svg bar_svg(std::int64_t units) {
  ground::Svg out;
  out.open("svg", {{"class", "bar"},
                   {"viewBox", "0 0 " + std::to_string(units) + " 10"},
                   {"preserveAspectRatio", "none"},
                   {"role", "img"}});
  return out;
}

inline void add_bar(ground::Svg& out, std::int64_t from, std::int64_t width, std::string_view colour,
                    std::string_view hint) {
  out.hinted("rect", {{"x", from}, {"width", width}, {"height", 10}, {"fill", colour}}, hint);
}

}  // namespace tailcap::render
