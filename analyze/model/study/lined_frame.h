// A frame of a folded stack with the line that was executed in it: "render at cart.c:16".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailcap::model {

struct LinedFrame {
  std::string_view name, file;
  std::uint32_t line = 0;  // 0: not known; then there is no file
};

inline constexpr std::string_view kAtLine = " at ";

// As it was written with kAtLine; any other frame is its name.
inline LinedFrame lined_frame(std::string_view frame) {
  const auto at = frame.rfind(kAtLine), colon = frame.rfind(':');
  if (at == frame.npos || colon == frame.npos || colon <= at + kAtLine.size()) return {frame, {}, 0};
  std::uint32_t line = 0;
  const std::string_view digits = frame.substr(colon + 1);
  if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != digits.npos)
    return {frame, {}, 0};
  for (const char digit : digits) line = 10 * line + static_cast<std::uint32_t>(digit - '0');
  if (line == 0) return {frame, {}, 0};
  const auto file = at + kAtLine.size();
  return {frame.substr(0, at), frame.substr(file, colon - file), line};
}

}  // namespace tailcap::model
