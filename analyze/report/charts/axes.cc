#include "analyze/report/charts/axes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>

namespace tailcap::report::charts {
namespace {

using model::ChartAxis;
using model::Tick;

constexpr double kRoom = 1.2;  // around what is shown, as a factor

std::string tick_text(double ns) {
  constexpr const char* kUnits[] = {"ns", "µs", "ms", "s"};
  std::size_t unit = 0;
  while (unit < 3 && ns >= 999.5) {
    ns /= 1000;
    ++unit;
  }
  const auto tenths = std::llround(ns * 10);
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " " + kUnits[unit];
}

std::vector<Tick> duration_ticks(double low, double high) {
  constexpr double kFew[] = {1}, kSome[] = {1, 2, 5}, kMany[] = {1, 2, 3, 4, 5, 6, 7, 8, 9},
                   kAll[] = {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9};
  const double decades = std::log10(high / low);
  const std::span<const double> steps = decades > 2.5   ? std::span<const double>(kFew)
                                        : decades > 0.7 ? std::span<const double>(kSome)
                                        : decades > 0.4 ? std::span<const double>(kMany)
                                                        : std::span<const double>(kAll);
  std::vector<Tick> out;
  for (double decade = std::pow(10, std::floor(std::log10(low))); decade <= high; decade *= 10)
    for (const double step : steps)
      if (const double ns = decade * step; ns >= low && ns <= high && ns >= 1) out.push_back({ns, tick_text(ns)});
  return out;
}

}  // namespace

void DurationAxis::include(formats::Duration d) {
  if (d.count() <= 0) return;
  const auto ns = static_cast<double>(d.count());
  low_ = high_ == 0 ? ns : std::min(low_, ns);
  high_ = std::max(high_, ns);
}

ChartAxis DurationAxis::axis(std::string title) const {
  ChartAxis out{std::move(title), low_ / kRoom, std::max(high_ * kRoom, low_ * 2), true, {}};
  if (!empty()) out.ticks = duration_ticks(out.low, out.high);
  return out;
}

ChartAxis share_axis(double least, std::string title) {
  ChartAxis out{std::move(title), std::pow(10, std::floor(std::log10(std::max(least, 1e-6)) + 1e-6)), 1, true, {}};
  for (double share = 1; share > out.low * 0.99; share /= 10) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g %%", share * 100);
    out.ticks.push_back({share, text});
  }
  return out;
}

std::vector<Tick> quantile_ticks(const ChartAxis& shares) {
  constexpr const char* kQuantiles[] = {"", "p90", "p99", "p99.9", "p99.99", "p99.999", "p99.9999"};
  std::vector<Tick> out;
  for (std::size_t i = 0; i < std::min(std::size(kQuantiles), shares.ticks.size()); ++i)
    out.push_back({shares.ticks[i].at, kQuantiles[i]});
  return out;
}

std::vector<Tick> time_ticks(double from, double to) {
  const double whole = std::max(std::abs(from), std::abs(to));
  const double rough = (to - from) / 8, decade = std::pow(10, std::floor(std::log10(rough)));
  constexpr std::array<double, 4> kSteps = {1, 2, 5, 10};
  double step = 10 * decade;
  for (const double s : kSteps)
    if (s * decade >= rough * 0.999) {
      step = s * decade;
      break;
    }
  step = std::max(1.0, step);
  const double unit = whole >= 1e9 ? 1e9 : whole >= 1e6 ? 1e6 : 1e3;
  const char* const name = whole >= 1e9 ? "s" : whole >= 1e6 ? "ms" : "µs";
  const int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step / unit) - 1e-9)));
  std::vector<Tick> out;
  for (double n = std::ceil(from / step - 1e-9); n * step <= to * 1.000001 + 1e-9 && out.size() < 20; ++n) {
    char text[48];
    std::snprintf(text, sizeof text, "%s%.*f %s", n < 0 ? "−" : "+", digits, std::abs(n * step / unit), name);
    out.push_back({n * step, text});
  }
  return out;
}

double place(const ChartAxis& axis, double value) {
  if (axis.logarithmic)
    return value <= 0 ? 0 : std::clamp(std::log(value / axis.low) / std::log(axis.high / axis.low), 0.0, 1.0);
  return std::clamp((value - axis.low) / (axis.high - axis.low), 0.0, 1.0);
}

double value_at(const ChartAxis& axis, double place) {
  if (axis.logarithmic) return axis.low * std::pow(axis.high / axis.low, place);
  return axis.low + (axis.high - axis.low) * place;
}

}  // namespace tailcap::report::charts
