// What all flame graphs are drawn on: a page of SVG with a title, buttons for search and zoom, and the script behind
// them.
//
// A frame is `<g class="f" data-d="DEPTH">` with a title, a rect and a text whose data-n is its name; the first is the
// lowest and as wide as everything.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tailcap::flame {

inline constexpr double kWidth = 1200, kMargin = 10, kTop = 64, kBottom = 30, kFrame = 17;
inline constexpr double kStillWidth = 760;  // of a picture in a page, which is shown about so wide

std::string escaped(std::string_view text);
std::string number(double value, int digits);
std::string colour(int red, int green, int blue);
// The same name has the same shade everywhere: 0 to 55.
int shade_of(std::string_view name);

// One frame; told: its title. y is its upper edge.
std::string frame_svg(std::string_view name, std::string_view told, double x, double y, double width, std::size_t depth,
                      std::string_view fill);

// A frame that stands still: its name is written in, as far as there is room.
std::string still_frame_svg(std::string_view name, std::string_view told, double x, double y, double width,
                            std::string_view fill);
// A picture to be put into a page: no script, no title, nothing but the frames, whose highest y is kTop.
std::string still(std::size_t rows, std::string_view frames);

// frames: of all frames, in order; rows: how many lie upon each other.
std::string canvas(std::string_view title, std::string_view subtitle, std::size_t rows, std::string_view frames);

}  // namespace tailcap::flame
