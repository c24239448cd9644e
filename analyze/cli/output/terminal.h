// What standard output is: a terminal of some width that shows colours, or a file or pipe that gets plain text.
#pragma once

#include <cstddef>
#include <string>

namespace tailcap::cli {

// A person reads standard output.
bool on_terminal();

// Columns of the terminal: $COLUMNS, else what it says itself. `otherwise` where standard output is no terminal, so
// that a file does not depend on where it was made.
std::size_t terminal_width(std::size_t otherwise);

// Lines of the terminal; `otherwise` where standard output is none, or does not say it.
std::size_t terminal_height(std::size_t otherwise);

// The terminal understands escape sequences: standard output is one, and no dumb one.
bool moves_cursor();

// On a terminal, unless NO_COLOR is set (https://no-color.org) or the terminal is a dumb one.
bool coloured();

// To standard output; through $PAGER (else less -FRX) where it is a terminal with fewer lines than the text has.
void print_paged(const std::string& text, bool paged);

// Its locale is one of UTF-8. Others show boxes, or worse, for what is no ASCII.
bool shows_unicode();

// A result to `path`, as write_file(); where that is standard output, as print_paged().
void write_paged(const std::string& path, const std::string& text, const std::string& capture, bool paged);

}  // namespace tailcap::cli
