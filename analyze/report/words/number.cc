#include "analyze/report/words/number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

namespace tailcap::report {
namespace {

struct Unit {
  std::uint64_t scale;
  const char* name;
};
constexpr std::array kTimes = {Unit{1, "ns"}, Unit{1'000, "µs"}, Unit{1'000'000, "ms"}, Unit{1'000'000'000, "s"}};
constexpr std::array kSizes = {Unit{1, "B"}, Unit{1'000, "kB"}, Unit{1'000'000, "MB"}, Unit{1'000'000'000, "GB"},
                               Unit{1'000'000'000'000, "TB"}};
constexpr std::uint64_t kMinute = 60'000'000'000, kHour = 60 * kMinute;

constexpr std::uint64_t power_of_ten(int n) { return n == 0 ? 1 : 10 * power_of_ten(n - 1); }

std::uint64_t magnitude(Duration d) {
  const auto n = static_cast<std::uint64_t>(d.count());
  return d.count() < 0 ? 0 - n : n;  // also right for the smallest value
}

std::string digits(std::uint64_t n) {
  std::array<char, 24> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), n).ptr;
  return {text.data(), end};
}

// value / scale with a fixed number of decimals, rounded half up, in integers: doubles would round differently
// where compilers differ.
std::string fixed(std::uint64_t value, std::uint64_t scale, int decimals) {
  std::uint64_t whole = value / scale;
  std::uint64_t part = (value % scale * power_of_ten(decimals) + scale / 2) / scale;
  if (part == power_of_ten(decimals)) {
    ++whole;
    part = 0;
  }
  if (decimals == 0) return digits(whole);
  const std::string p = digits(part);
  return digits(whole) + "." + std::string(static_cast<std::size_t>(decimals) - p.size(), '0') + p;
}

// Decimals that leave three digits: 1.23, 12.3, 123.
int decimals_for(std::uint64_t value, std::uint64_t scale) {
  if (scale == 1) return 0;
  if (value < 10 * scale - scale / 200) return 2;
  if (value < 100 * scale - scale / 20) return 1;
  return 0;
}

// The largest unit in which the rounded value is at least 1; 999.6 µs is 1.00 ms.
template <std::size_t N>
const Unit& unit_for(const std::array<Unit, N>& units, std::uint64_t value) {
  std::size_t i = 0;
  while (i + 1 < N && value >= units[i + 1].scale - units[i].scale / 2) ++i;
  return units[i];
}

template <std::size_t N>
std::string three_digits(const std::array<Unit, N>& units, std::uint64_t value) {
  const Unit& unit = unit_for(units, value);
  return fixed(value, unit.scale, decimals_for(value, unit.scale)) + " " + unit.name;
}

std::string two_places(std::uint64_t n) { return (n < 10 ? "0" : "") + digits(n); }

}  // namespace

std::string duration_text(Duration d) {
  const std::uint64_t ns = magnitude(d);
  const std::string sign = d.count() < 0 ? "-" : "";
  if (ns == 0) return "0 s";
  if (ns >= kHour - kMinute / 2) {
    const std::uint64_t minutes = (ns + kMinute / 2) / kMinute;
    return sign + digits(minutes / 60) + " h " + two_places(minutes % 60) + " min";
  }
  if (ns >= kMinute - 50'000'000) {
    const std::uint64_t seconds = (ns + 500'000'000) / 1'000'000'000;
    return sign + digits(seconds / 60) + " min " + two_places(seconds % 60) + " s";
  }
  return sign + three_digits(kTimes, ns);
}

std::string duration_in_unit_of(Duration d, Duration scale) {
  const Unit& unit = unit_for(kTimes, magnitude(scale));
  const std::uint64_t ns = magnitude(d);
  return (d.count() < 0 ? "-" : "") + fixed(ns, unit.scale, decimals_for(ns, unit.scale));
}

std::string place_text(Duration d, Duration scale) {
  const Unit& unit = unit_for(kTimes, std::max<std::uint64_t>(magnitude(scale), 1'000));
  return (d.count() < 0 ? "-" : "+") + fixed(magnitude(d), unit.scale, 3) + " " + unit.name;
}

std::string exact_text(Duration d) { return (d.count() < 0 ? "-" : "") + count_text(magnitude(d)) + " ns"; }

std::string bytes_text(std::uint64_t bytes) { return three_digits(kSizes, bytes); }

std::string address_text(std::uint64_t n) { return "0x" + ground::hex_text(n); }

std::string count_text(std::uint64_t n) {
  std::string text = digits(n);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, 1, ',');
  return text;
}

std::string count_text(std::uint64_t n, const char* one, const char* many) {
  return count_text(n) + " " + (n == 1 ? one : many);
}

std::string rate_text(double per_second) {
  if (!(per_second > 0) || !std::isfinite(per_second)) return "0/s";
  if (per_second >= 99.95) {
    return (per_second < 1e18 ? count_text(static_cast<std::uint64_t>(std::llround(per_second))) : "≥10^18") + "/s";
  }
  if (per_second < 0.001) return "<0.001/s";
  const auto millionths = static_cast<std::uint64_t>(std::llround(per_second * 1e6));
  const int decimals = per_second >= 9.995 ? 1 : per_second >= 0.0995 ? 2 : 3;
  return fixed(millionths, 1'000'000, decimals) + "/s";
}

std::string utc_text(std::int64_t nanoseconds_since_1970, int decimals) {
  using namespace std::chrono;
  const nanoseconds total{nanoseconds_since_1970};
  const auto day = floor<days>(total);
  const year_month_day date{sys_days{day}};
  const auto in_day = static_cast<std::uint64_t>((total - day).count());
  const std::uint64_t second = in_day / 1'000'000'000;
  std::string text = digits(static_cast<std::uint64_t>(static_cast<int>(date.year()))) + "-" +
                     two_places(static_cast<unsigned>(date.month())) + "-" +
                     two_places(static_cast<unsigned>(date.day())) + " " + two_places(second / 3600) + ":" +
                     two_places(second / 60 % 60) + ":" + two_places(second % 60);
  if (decimals > 0) {  // cut, not rounded: a clock that shows .999 has not struck yet
    const std::string fraction = digits(1'000'000'000 + in_day % 1'000'000'000);
    text += "." + fraction.substr(1, static_cast<std::size_t>(decimals));
  }
  return text + " UTC";
}

std::string offset_text(Time t, Time begin) {
  if (!formats::known(t) || !formats::known(begin)) return "–";
  // Saturating: hostile captures hold any two numbers.
  std::int64_t ns = 0;
  if (__builtin_sub_overflow(formats::nanoseconds(t), formats::nanoseconds(begin), &ns)) ns = INT64_MAX;
  return (ns < 0 ? "-" : "+") + fixed(magnitude(Duration{ns}), 1'000'000'000, 3) + " s";
}

}  // namespace tailcap::report
