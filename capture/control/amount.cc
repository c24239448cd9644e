#include "capture/control/amount.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string_view>

namespace tailcap::capture {

namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// The number in front of the unit; not a number, negative or too large for 64 bits: invalid.
std::uint64_t parse_amount(const std::string& text, const Unit* units, std::size_t count, const std::string& wanted) {
  const auto wrong = [&] { return std::invalid_argument("'" + text + "' is not " + wanted); };
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number) || number < 0) throw wrong();
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (std::size_t i = 0; i < count; i++) {
    if (units[i].name != unit) continue;
    const double value = number * units[i].factor;
    if (value >= 9.2e18) throw wrong();
    return static_cast<std::uint64_t>(std::llround(value));
  }
  throw wrong();
}

}  // namespace

std::chrono::nanoseconds parse_duration(const std::string& text) {
  static constexpr std::array<Unit, 6> kUnits = {
      {{"", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
  return std::chrono::nanoseconds(
      parse_amount(text, kUnits.data(), kUnits.size(), "a duration: write 30s, 500ms, 2m or 1h"));
}

std::uint64_t parse_size(const std::string& text) {
  static constexpr std::array<Unit, 11> kUnits = {{{"", 1},
                                                   {"B", 1},
                                                   {"K", 1024},
                                                   {"M", 1 << 20},
                                                   {"G", 1 << 30},
                                                   {"kB", 1e3},
                                                   {"KB", 1e3},
                                                   {"MB", 1e6},
                                                   {"GB", 1e9},
                                                   {"KiB", 1024},
                                                   {"MiB", 1 << 20}}};
  if (text.ends_with("GiB"))
    return parse_amount(text.substr(0, text.size() - 3) + "G", kUnits.data(), kUnits.size(), "a size");
  return parse_amount(text, kUnits.data(), kUnits.size(), "a size: write 4096, 64KiB, 500MB or 2GiB");
}

std::string show_size(std::uint64_t bytes) {
  char text[32];
  if (bytes < 1000) return std::to_string(bytes) + " bytes";
  const double size = static_cast<double>(bytes);
  if (bytes < 1'000'000)
    std::snprintf(text, sizeof text, "%.1f kB", size / 1e3);
  else if (bytes < 1'000'000'000)
    std::snprintf(text, sizeof text, "%.1f MB", size / 1e6);
  else
    std::snprintf(text, sizeof text, "%.2f GB", size / 1e9);
  return text;
}

std::string show_count(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); i++) {
    if (i && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace tailcap::capture
