// What somebody may have meant who typed a word that does not exist.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tailcap::formats {

// The name that is reached with the fewest insertions, deletions, replacements and swaps of neighbours; the first of
// several. Empty: none is reached with one change for each three letters.
std::string_view nearest(std::string_view word, std::span<const std::string_view> names);

// ": did you mean 'report'?", with `before` in front of the name; empty where no name is near.
std::string suggestion(std::string_view word, std::span<const std::string_view> names, std::string_view before = "");

}  // namespace tailcap::formats
