// Bytes of SQL by what they can be a part of.
#pragma once

#include <cstddef>

namespace tailcap::formats::sql {

inline constexpr std::size_t kPlaceholderDigits = 5;  // PostgreSQL allows 65,535 of them

constexpr bool sql_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool sql_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }
// What a name without quotes begins with.
constexpr bool sql_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || sql_high(c);
}
constexpr bool sql_word_byte(char c) { return sql_letter(c) || sql_digit(c) || c == '$'; }
constexpr bool sql_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool sql_control(char c) { return (static_cast<unsigned char>(c) < ' ' && !sql_space(c)) || c == 0x7f; }

}  // namespace tailcap::formats::sql
