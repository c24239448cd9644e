#include "analyze/render/lines.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "analyze/render/escape.h"

namespace tailcap::render {

std::string padded(std::string text, std::size_t width, Align align) {
  const std::size_t used = columns(text);
  if (used >= width) return text;
  return align == Align::left ? text.append(width - used, ' ') : std::string(width - used, ' ') + text;
}

namespace {

// "ms" in "12.3 ms": stays with its number.
bool unit_follows(std::string_view number, std::string_view rest) {
  if (number.empty() || number.back() < '0' || number.back() > '9') return false;
  const std::string_view word = rest.substr(0, rest.find_first_of(" ,;.:)"));
  static constexpr std::string_view kUnits[] = {"ns", "µs", "ms", "s", "min", "h", "%", "B", "kB", "MB", "GB", "TB"};
  return std::ranges::find(kUnits, word) != std::end(kUnits);
}

}  // namespace

std::string_view first_word(std::string_view text) {
  std::size_t space = std::min(text.find(' '), text.size());
  if (space < text.size() && unit_follows(text.substr(0, space), text.substr(space + 1)))
    space = std::min(text.find(' ', space + 1), text.size());
  return text.substr(0, space);
}

std::string wrapped(std::string_view first, std::string_view text, std::size_t width) {
  const std::size_t indent = columns(first);
  std::string out{first}, line;
  const auto flush = [&] {
    out += line + "\n" + std::string(indent, ' ');
    line.clear();
  };
  while (!text.empty()) {
    const std::string_view word = first_word(text);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (word.empty()) continue;
    if (!line.empty() && indent + columns(line) + 1 + columns(word) > width) flush();
    if (!line.empty()) line += ' ';
    line += word;
  }
  out += line;
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

std::string bar(double share, std::size_t width) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (!(share > 0)) return {};
  const auto eighths = static_cast<std::size_t>(std::llround(std::min(share, 1.0) * static_cast<double>(width) * 8));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += "█";
  return text + kEighths[eighths % 8];
}

}  // namespace tailcap::render
