// The words and signs of a filter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::query {

struct Token {
  enum class Kind : std::uint8_t { word, quoted, symbol, end };
  Kind kind = Kind::end;
  std::string text = {};  // quoted: without the quotes, escapes resolved
  std::size_t at = 0;     // byte in the expression
};

struct Misread {
  std::size_t at = 0;
  std::string why;
};

// The last token is always an end. Words are letters, digits and . _ - / : * % + and everything beyond ASCII.
std::optional<Misread> tokenize(std::string_view text, std::vector<Token>& tokens);

}  // namespace tailcap::query
