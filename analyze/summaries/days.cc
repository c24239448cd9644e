#include "analyze/summaries/days.h"

#include <algorithm>
#include <cmath>

#include "analyze/summaries/baseline.h"

namespace tailcap::summaries {
namespace {

using model::BandMetric;
using model::DayKind;

constexpr std::uint64_t kLeastBeyond = 20;   // requests beyond a percentile
constexpr std::uint64_t kLeastMedian = 100;  // requests of which there is one
constexpr std::uint64_t kLeastJudged = 400;  // 0.25 % is one of them
constexpr std::uint64_t kLeastCounted = 30;

double share_beyond(BandMetric metric) {
  return metric == BandMetric::p95 ? 0.05 : metric == BandMetric::p99 ? 0.01 : 0.5;
}

std::optional<double> percentile(const SeriesPoint& point, BandMetric metric) {
  const double beyond = share_beyond(metric);
  const auto n = static_cast<double>(point.durations.count());
  if (n < static_cast<double>(kLeastMedian) || n * beyond < static_cast<double>(kLeastBeyond)) return std::nullopt;
  const auto found = point.durations.interpolated(1 - beyond);
  if (!found || *found <= 0) return std::nullopt;
  return std::log(*found);
}

std::optional<double> measured(const SeriesPoint& point, BandMetric metric, std::int64_t step) {
  if (metric == BandMetric::rate) {
    // A part of a step says little of its rate.
    if (point.requests < kLeastCounted || point.covered < static_cast<std::uint64_t>(step) / 2) return std::nullopt;
    return std::log(static_cast<double>(point.requests) / (static_cast<double>(point.covered) * 1e-9));
  }
  if (metric != BandMetric::errors) return percentile(point, metric);
  if (point.judged < kLeastJudged) return std::nullopt;
  return static_cast<double>(point.failed) / static_cast<double>(point.judged);
}

std::int64_t floor_divided(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

}  // namespace

Days days_of(const Series& series, BandMetric metric, std::int64_t cycle, std::int64_t steps) {
  Days out;
  const std::int64_t step = cycle / steps;
  for (const auto& [start, point] : series) {
    const auto value = measured(point, metric, step);
    if (!value) continue;
    const std::int64_t day = floor_divided(start, cycle);
    DaySteps& of = out[day];
    of.resize(static_cast<std::size_t>(steps));
    of[static_cast<std::size_t>((start - day * cycle) / step)] = value;
  }
  return out;
}

double value_of(BandMetric metric, double step) { return metric == BandMetric::errors ? step : std::exp(step); }
double step_of_value(BandMetric metric, double value) { return metric == BandMetric::errors ? value : std::log(value); }

std::size_t class_of(std::int64_t day, DayKind kind) {
  if (kind == DayKind::any) return 0;
  const std::int64_t since_monday = ((day + 3) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
  return kind == DayKind::weekend ? since_monday >= 5 : static_cast<std::size_t>(since_monday);
}

std::optional<double> TypicalSteps::at(std::int64_t of_day, std::size_t step,
                                       std::optional<std::int64_t> without) const {
  std::vector<double> values;
  for (const auto& [day, steps] : days_)
    if (day != without && class_of(day, kind_) == class_of(of_day, kind_) && step < steps.size() && steps[step])
      values.push_back(*steps[step]);
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::optional<double> farthest(std::int64_t day, const DaySteps& steps, const TypicalSteps& typical, int sign,
                               std::optional<std::int64_t> without) {
  std::optional<double> out;
  std::vector<double> run;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto usual = steps[i] ? typical.at(day, i, without) : std::nullopt;
    if (!usual) {
      run.clear();
      continue;
    }
    run.push_back(sign * (*steps[i] - *usual));
    if (run.size() < kStepsOutside) continue;
    const double least = *std::min_element(run.end() - kStepsOutside, run.end());
    out = std::max(out.value_or(least), least);
  }
  return out;
}

}  // namespace tailcap::summaries
