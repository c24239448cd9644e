// How shares, hexadecimal numbers and lists become text: the same in every stage.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tailcap::ground {

// A ratio in per cent: "0 %", "<0.01 %", "0.42 %", "12.3 %", "100 %", "140 %", "-3.2 %": two decimals below 1 %, one up
// to 100 %, none above. "–": not a number.
std::string percent_text(double ratio);
// A part of a whole, likewise, but never rounded from something to nothing nor from less than all to all: ">99.9 %".
// Less than nothing is "0 %", more than all is "100 %". "–": there is no whole.
std::string share_text(double part, double whole = 1);
std::string share_text(std::uint64_t part, std::uint64_t whole);

// Lower-case hexadecimal digits: of a number without zeros in front, or at least `digits` of them; of bytes, two for
// each.
std::string hex_text(std::uint64_t number, int digits = 1);
std::string hex_text(std::string_view bytes);

// "a, b, c". Parts: a range of what can be appended to a std::string.
template <class Parts>
std::string joined(const Parts& parts, std::string_view separator = ", ") {
  std::string out;
  bool first = true;
  for (const auto& part : parts) {
    if (!first) out += separator;
    first = false;
    out += part;
  }
  return out;
}

// "a, b and c".
std::string listed(std::span<const std::string> parts);

}  // namespace tailcap::ground
