// Axes of charts, with round ticks.
#pragma once

#include <vector>

#include "analyze/model/figure/chart.h"
#include "formats/time.h"

namespace tailcap::report::charts {

// Durations, logarithmic, with some room around what was included. Nothing was included: high is 0.
class DurationAxis {
 public:
  void include(formats::Duration d);
  bool empty() const { return high_ == 0; }
  model::ChartAxis axis(std::string title) const;

 private:
  double low_ = 0, high_ = 0;  // ns
};

// Shares of requests, logarithmic from 1 down to the power of ten below the least one, which is at least 1e-6.
model::ChartAxis share_axis(double least, std::string title);
// "p90" at 0.1 and so on, from the same axis.
std::vector<model::Tick> quantile_ticks(const model::ChartAxis& shares);

// Ticks for time, in ns from where 0 is. As the page's script makes the ticks when the plane is enlarged.
std::vector<model::Tick> time_ticks(double from, double to);

// From 0 at the lower end to 1 at the upper, within these.
double place(const model::ChartAxis& axis, double value);
// The reverse.
double value_at(const model::ChartAxis& axis, double place);

}  // namespace tailcap::report::charts
