// The page that all flame graphs are drawn on: SVG with a title, buttons for search and zoom, and their script.
//
// A frame is `<g class="f" data-d="DEPTH">` with a title, a rect and a text; data-n of the text is the frame's name.
// The first frame is the lowest and has the full width.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tailcap::flame {

inline constexpr double kWidth = 1200, kMargin = 10, kTop = 64, kBottom = 30, kFrame = 17;
inline constexpr double kStillWidth = 760;  // width of a picture in a page, about as wide as it is shown

std::string number(double value, int digits);
std::string colour(int red, int green, int blue);
// Returns 0 to 55. The same name has the same shade everywhere.
int shade_of(std::string_view name);

// One frame; its title is the second text. y is its upper edge.
std::string frame_svg(std::string_view name, std::string_view told, double x, double y, double width, std::size_t depth,
                      std::string_view fill);

// A frame of a picture without a script: its name is written in, as far as there is room.
std::string still_frame_svg(std::string_view name, std::string_view told, double x, double y, double width,
                            std::string_view fill);
// A picture for a page: no script, no title, only the frames. The highest y is kTop.
std::string still(std::size_t rows, std::string_view frames);

// frames: those of all frames, in order; rows: the depth of the deepest stack.
std::string canvas(std::string_view title, std::string_view subtitle, std::size_t rows, std::string_view frames);

}  // namespace tailcap::flame
