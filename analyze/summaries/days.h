// A series by days: a value of a metric for each step of each day.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "analyze/model/summaries/baseline.h"
#include "analyze/summaries/series.h"

namespace tailcap::summaries {

// Logarithms, but of errors: a share. Nothing: too few requests, or nothing was recorded.
using DaySteps = std::vector<std::optional<double>>;
using Days = std::map<std::int64_t, DaySteps>;  // by the number of the day since 1970

Days days_of(const Series& series, model::BandMetric metric, std::int64_t cycle, std::int64_t steps);
// The metric's value of what is in a DaySteps.
double value_of(model::BandMetric metric, double step);
double step_of_value(model::BandMetric metric, double value);

// Which of the days of a kind this day is; days without the length of a day are all of one kind.
std::size_t class_of(std::int64_t day, model::DayKind kind);

// The median of a step, over the days of the same class but one.
class TypicalSteps {
 public:
  TypicalSteps(const Days& days, model::DayKind kind) : days_(days), kind_(kind) {}
  std::optional<double> at(std::int64_t of_day, std::size_t step, std::optional<std::int64_t> without) const;

 private:
  const Days& days_;
  const model::DayKind kind_;
};

// The farthest above (sign 1) or below (-1) what is typical that a day was for kStepsOutside steps in a row. Nothing:
// it has no such run.
std::optional<double> farthest(std::int64_t day, const DaySteps& steps, const TypicalSteps& typical, int sign,
                               std::optional<std::int64_t> without);

}  // namespace tailcap::summaries
