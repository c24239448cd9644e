// Text from outside (file names, program names, paths, hosts, header values, notes, messages of the kernel) is
// untrusted. Both programs pass it through here before they print it, so that it cannot control a terminal, reorder or
// hide the text beside it, or break a line.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::formats {

// Characters that act on a terminal or on the text around them, or that cannot be seen: C0 and C1 control characters,
// DEL, bidirectional marks, embeddings, overrides and isolates, line and paragraph separators, zero-width characters,
// byte order marks, interlinear annotations, tags, non-characters.
bool misleading(char32_t c);

// One line of valid UTF-8: control characters of ASCII and bytes that are no UTF-8 become \xNN, other misleading
// characters \u{NNNN}, and a backslash two, so that the text can be read back.
std::string printable(std::string_view text);

// For a finished message, some parts of which are printable() already: line breaks and backslashes stay.
std::string printable_message(std::string_view text);

// For JSON, the whole of it or what is between two quotes: misleading characters become \uNNNN, which changes no value.
// Bytes that are no UTF-8 become U+FFFD.
std::string printable_json(std::string_view json);

}  // namespace tailcap::formats
