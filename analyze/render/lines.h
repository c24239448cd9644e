// Lines for a terminal of a given width: text that lines up, paragraphs that wrap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tailcap::render {

enum class Align : std::uint8_t { left, right };

// Up to the first space; a number keeps its unit.
std::string_view first_word(std::string_view text);

// text broken at spaces; `first` precedes the first line, as many spaces as it is wide the others. A word wider than
// the line is not broken: an address or a path stays in one piece.
std::string wrapped(std::string_view first, std::string_view text, std::size_t width);

std::string padded(std::string text, std::size_t width, Align align = Align::left);

// A bar of `width` columns, filled by share (0 to 1) in eighths.
std::string bar(double share, std::size_t width);

}  // namespace tailcap::render
