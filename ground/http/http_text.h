// Characters of HTTP.
#pragma once

#include <array>

namespace tailcap::ground {

// ASCII only.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

inline constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> t{};
  for (char c = 'a'; c <= 'z'; ++c) t[static_cast<unsigned char>(c)] = t[static_cast<unsigned char>(c - 32)] = true;
  for (char c = '0'; c <= '9'; ++c) t[static_cast<unsigned char>(c)] = true;
  for (char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    t[static_cast<unsigned char>(c)] = true;
  return t;
}();

// A character of a field name or a method (RFC 9110, section 5.6.2).
constexpr bool is_token(char c) { return kTokenCharacters[static_cast<unsigned char>(c)]; }

}  // namespace tailcap::ground
