#include "analyze/plot/script.h"

#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "formats/printable.h"
#include "formats/utf8.h"

namespace tailcap::plot {
namespace {

// Bytes of the character at the start of text, 0 if it cannot be shown.
std::size_t character(std::string_view text) {
  const formats::Character c = formats::first_character(text);
  return c.code == formats::kNoCharacter || formats::misleading(c.code) ? 0 : c.length;
}

}  // namespace

std::string quoted(std::string_view text, std::size_t longest) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    const std::size_t n = character(text);
    characters.push_back(n == 0 ? std::string_view("?") : text.substr(0, n));
    text.remove_prefix(formats::first_character(text).length);
  }
  std::string out = "'";
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (characters.size() > longest && i == longest / 2) {
      out += "…";
      i = characters.size() - (longest - longest / 2 - 1);
      if (i >= characters.size()) break;
    }
    // A quote is written twice. A backquote starts a shell command everywhere but in single quotes: not let in at
    // all, so that nothing depends on where this text ends up.
    if (characters[i] == "'")
      out += "''";
    else if (characters[i] == "`")
      out += "ˋ";
    else
      out += characters[i];
  }
  return out + "'";
}

std::string number(double value) {
  if (!std::isfinite(value)) return "NaN";
  std::array<char, 40> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 7).ptr;
  return {text.data(), end};
}

void Data::row(const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) text_ += (i == 0 ? "" : " ") + number(values[i]);
  text_ += "\n";
  ++rows_;
}

std::string duration_ticks(double low, double high) {
  // The narrower the axis, the more ticks a decade has; tenths, so that they stay exact.
  constexpr std::array<int, 1> kDecades = {10};
  constexpr std::array<int, 3> kSome = {10, 20, 50};
  constexpr std::array<int, 7> kMany = {10, 15, 20, 30, 40, 50, 70};
  constexpr std::array<int, 12> kAll = {10, 12, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90};
  const double decades = std::log10(high / low);
  const std::span<const int> steps = decades > 2.5   ? std::span<const int>(kDecades)
                                     : decades > 1   ? kSome
                                     : decades > 0.5 ? std::span<const int>(kMany)
                                                     : kAll;
  constexpr std::string_view units[] = {"ns", "µs", "ms", "s"};
  std::string text;
  for (int decade = std::max(static_cast<int>(std::floor(std::log10(low))), -9);
       decade <= std::min(static_cast<int>(std::ceil(std::log10(high))), 6); ++decade) {
    for (const int tenths : steps) {
      const double at = tenths * std::pow(10.0, decade - 1);
      if (at < low * 0.999 || at > high * 1.001) continue;
      const int unit = decade < 0 ? (decade + 9) / 3 : 3;
      const int zeros = decade + 9 - 3 * unit;
      std::string digits = std::to_string(zeros == 0 ? tenths / 10 : tenths) +
                           std::string(static_cast<std::size_t>(std::max(zeros - 1, 0)), '0');
      if (zeros == 0 && tenths % 10 != 0) digits += "." + std::to_string(tenths % 10);
      text += (text.empty() ? "'" : ", '") + digits + " " + std::string(units[unit]) + "' " + number(at);
    }
  }
  return "(" + text + ")";
}

std::string legend_below(std::size_t rows, std::size_t columns, unsigned height) {
  const double legend = 18.0 * static_cast<double>(rows) + 4, axis = 44;  // pixels
  return "set bmargin at screen " + number((legend + axis) / height) + "\nset key at screen 0.09, screen " +
         number(legend / height) + " top left horizontal Left reverse samplen 2 maxcols " + std::to_string(columns) +
         "\n";
}

TimeUnit unit_for(double high) {
  if (high < 1e-6) return {"ns", 1e9};
  if (high < 1e-3) return {"µs", 1e6};
  if (high < 1) return {"ms", 1e3};
  return {"s", 1};
}

}  // namespace tailcap::plot
