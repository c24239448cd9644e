// Fields of CSV (RFC 4180).
#pragma once

#include <string>
#include <string_view>

namespace tailcap::report {

// Spreadsheets take a text that begins like this for a formula, and those of a capture were written by others.
inline std::string csv_text(std::string text) {
  if (!text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos) text.insert(0, 1, '\'');
  return text;
}

// Without control characters: printable(). Nothing is "", which is not NULL.
inline std::string csv_field(const std::string& text) {
  if (!text.empty() && text.find_first_of("\",") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace tailcap::report
