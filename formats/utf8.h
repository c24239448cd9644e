// UTF-8, one character after the other.
#pragma once

#include <cstddef>
#include <string_view>

namespace tailcap::formats {

inline constexpr char32_t kNoCharacter = 0xffffffff;  // the byte is no UTF-8

struct Character {
  char32_t code = kNoCharacter;
  std::size_t length = 1;  // bytes
};

// The first character of `text`, which is not empty. Overlong forms, surrogates, sequences that are cut and code points
// above 10FFFF are kNoCharacter, one byte long.
Character first_character(std::string_view text);

}  // namespace tailcap::formats
