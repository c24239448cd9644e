// How a function is written in a stack.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::capture::stacks {

// A name that cannot break a stack's text: without ';' and line ends, and not longer than a frame's name may be.
std::string frame_name(std::string_view name);

// Parentheses become square brackets: those of a frame hold its file.
void square_brackets(std::string& text);

}  // namespace tailcap::capture::stacks
