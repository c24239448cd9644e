// Text from a capture (paths, hosts, program names, header values, notes) is somebody else's: made harmless for
// where it is shown, without becoming ambiguous.
#pragma once

#include <string>
#include <string_view>

#include "formats/printable.h"

namespace tailcap::render {

using formats::printable;

// For HTML and XML, in content and in quoted attributes. Takes what printable() gives, or our own text.
std::string html(std::string_view text);

// For a Markdown table cell or paragraph: everything that Markdown or HTML would act on is escaped.
std::string markdown(std::string_view text);

// A word of a command for a shell, as printable() shows it: in quotes where the shell would act on a part of it.
std::string shell_word(std::string_view text);

// Columns on a terminal: one per character, two for East Asian wide ones, none for combining marks.
std::size_t columns(std::string_view utf8);

// At most `width` columns; what is cut is the middle, replaced by "…", so that a path keeps both ends.
std::string shortened(std::string_view utf8, std::size_t width);

}  // namespace tailcap::render
