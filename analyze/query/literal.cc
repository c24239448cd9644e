#include "analyze/query/literal.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>

namespace tailcap::query {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr Unit kDurations[] = {{"ns", 1},
                               {"us", 1'000},
                               {"µs", 1'000},
                               {"μs", 1'000},
                               {"ms", 1'000'000},
                               {"s", 1'000'000'000},
                               {"min", 60'000'000'000},
                               {"m", 60'000'000'000},
                               {"h", 3'600'000'000'000},
                               {"d", 86'400'000'000'000}};
constexpr Unit kSizes[] = {
    {"", 1},          {"B", 1},         {"k", 1'000},      {"kB", 1'000},        {"K", 1'000},
    {"KB", 1'000},    {"M", 1'000'000}, {"MB", 1'000'000}, {"G", 1'000'000'000}, {"GB", 1'000'000'000},
    {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

constexpr std::size_t kMaxFraction = 18;  // digits after the point; a nanosecond of a day needs 14

bool digit(char c) { return c >= '0' && c <= '9'; }

// Takes "1.5" and a unit from the front of text.
std::optional<std::int64_t> take(std::string_view& text, std::span<const Unit> units) {
  std::size_t i = 0;
  while (i < text.size() && digit(text[i])) ++i;
  const auto whole = parse_number(text.substr(0, i));
  if (!whole) return std::nullopt;
  std::string_view fraction;
  if (i < text.size() && text[i] == '.') {
    std::size_t end = i + 1;
    while (end < text.size() && digit(text[end])) ++end;
    fraction = text.substr(i + 1, end - i - 1);
    if (fraction.empty()) return std::nullopt;
    i = end;
  }
  std::size_t end = i;
  while (end < text.size() && !digit(text[end])) ++end;
  const std::string_view name = text.substr(i, end - i);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    std::int64_t value = 0;
    if (__builtin_mul_overflow(*whole, unit.factor, &value)) return std::nullopt;
    __int128 part = 0, whole_part = 1;
    for (const char c : fraction.substr(0, kMaxFraction)) {
      part = part * 10 + (c - '0');
      whole_part *= 10;
    }
    if (__builtin_add_overflow(value, static_cast<std::int64_t>(part * unit.factor / whole_part), &value))
      return std::nullopt;
    text.remove_prefix(end);
    return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || !digit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  if (text == "0") return 0;
  std::int64_t sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto part = take(text, kDurations);
    if (!part || __builtin_add_overflow(sum, *part, &sum)) return std::nullopt;
  }
  return sum;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  const auto value = take(text, kSizes);
  return text.empty() ? value : std::nullopt;
}

std::optional<double> parse_decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || value < 0)
    return std::nullopt;
  return value;
}

std::optional<double> parse_percentage(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const auto value = parse_decimal(text);
  if (!value || *value > 100) return std::nullopt;
  // Rounded once: 0.07% is the same number as 7 of 10,000.
  const std::string shifted = std::string(text) + "e-2";
  double share = 0;
  const auto [end, error] = std::from_chars(shifted.data(), shifted.data() + shifted.size(), share);
  return error == std::errc{} ? share : *value / 100;
}

}  // namespace tailcap::query
