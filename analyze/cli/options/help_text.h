// The lay-out of help: options in one column, what they do in another, at most kHelpWidth columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/cli/options/definitions.h"

namespace tailcap::cli {

inline constexpr std::size_t kHelpWidth = 120;

// `text` in lines that end with a line break: the first begins at column `used`, the others are indented by `indent`.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t used);

// "  -w, --where EXPR", "      --role server|client".
std::string option_text(const Definition& definition, const std::vector<std::string_view>& choices);

// The same with what it does, which begins at `column`.
std::string option_lines(const Definition& definition, const std::vector<std::string_view>& choices,
                         std::string_view text, std::size_t column);

}  // namespace tailcap::cli
