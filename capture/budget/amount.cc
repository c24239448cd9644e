#include "capture/budget/amount.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace tailcap::capture::budget {

double parse_share_of_cpus(const std::string& text) {
  double percent = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, percent, std::chars_format::fixed);
  constexpr double kLeast = 0.1, kMost = 50;
  if (read.ec != std::errc() || end - read.ptr != 1 || *read.ptr != '%' || !(percent >= kLeast && percent <= kMost))
    throw std::invalid_argument("'" + text +
                                "' is not a budget: write a share of the CPU time of all CPUs, 0.1% to 50%");
  return percent / 100;
}

std::string show_ppm(double share) { return std::to_string(std::llround(1e6 * share)) + " ppm"; }

std::string show_share_of_cpus(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%", 100 * share);
  return text;
}

}  // namespace tailcap::capture::budget
