// UTF-8, one character after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
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

inline bool is_character(std::uint64_t c) { return c <= 0x10ffff && (c < 0xd800 || c >= 0xe000); }

// What is no character is written as U+FFFD.
inline void append_utf8(std::string& out, std::uint32_t c) {
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (!is_character(c)) c = 0xfffd;
  if (c < 0x80) return add(c);
  if (c < 0x800) {
    add(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      add(0xe0 | c >> 12);
    } else {
      add(0xf0 | c >> 18);
      add(0x80 | (c >> 12 & 0x3f));
    }
    add(0x80 | (c >> 6 & 0x3f));
  }
  add(0x80 | (c & 0x3f));
}

}  // namespace tailcap::formats
