// A message that points at a place of an expression.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tailcap::query {

// Characters before the byte `place`.
std::size_t column_of(std::string_view expression, std::size_t place);

// "in the filter: WHY", the expression, and a caret below the place.
std::string pointing_at(std::string_view where, std::string_view expression, std::size_t place, std::string_view why);

}  // namespace tailcap::query
