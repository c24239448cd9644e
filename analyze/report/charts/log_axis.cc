#include "analyze/report/charts/log_axis.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace tailcap::report::charts {
namespace {

constexpr double kRoom = 1.2;  // around what is shown, as a factor

std::string tick_text(double ns) {
  constexpr const char* kUnits[] = {"ns", "µs", "ms", "s"};
  std::size_t unit = 0;
  while (unit < 3 && ns >= 999.5) {
    ns /= 1000;
    ++unit;
  }
  return std::to_string(std::llround(ns)) + " " + kUnits[unit];
}

}  // namespace

void LogAxis::include(formats::Duration d) {
  if (d.count() <= 0) return;
  const auto ns = static_cast<double>(d.count());
  low_ = high_ == 0 ? ns : std::min(low_, ns);
  high_ = std::max(high_, ns);
}

double LogAxis::low() const { return low_ / kRoom; }
double LogAxis::high() const { return std::max(high_ * kRoom, low_ * 2); }

double LogAxis::at(formats::Duration d) const {
  if (empty() || d.count() <= 0) return 0;
  return std::clamp(std::log(static_cast<double>(d.count()) / low()) / std::log(high() / low()), 0.0, 1.0);
}

formats::Duration LogAxis::value(double share) const {
  return formats::Duration{static_cast<std::int64_t>(low() * std::pow(high() / low(), share))};
}

std::vector<std::pair<double, std::string>> LogAxis::ticks() const {
  std::vector<std::pair<double, std::string>> out;
  if (empty()) return out;
  constexpr double kFew[] = {1}, kSome[] = {1, 2, 5}, kMany[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const double decades = std::log10(high() / low());
  const std::span<const double> steps = decades > 2.5   ? std::span<const double>(kFew)
                                        : decades > 0.7 ? std::span<const double>(kSome)
                                                        : std::span<const double>(kMany);
  for (double decade = std::pow(10, std::floor(std::log10(low()))); decade <= high(); decade *= 10)
    for (const double step : steps)
      if (const double ns = decade * step; ns >= low() && ns <= high() && ns >= 1)
        out.emplace_back(std::log(ns / low()) / std::log(high() / low()), tick_text(ns));
  return out;
}

}  // namespace tailcap::report::charts
