// The shell's quoting.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::ground {

// In single quotes: one word of a command, whatever it contains.
inline std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace tailcap::ground
