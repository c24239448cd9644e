// A logarithmic axis of durations with round ticks.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "formats/time.h"

namespace tailcap::report::charts {

class LogAxis {
 public:
  // Takes what is shown, and leaves some room around it.
  void include(formats::Duration d);
  bool empty() const { return high_ == 0; }
  double at(formats::Duration d) const;                       // 0 at the lower end, 1 at the upper
  formats::Duration value(double share) const;                // the reverse
  std::vector<std::pair<double, std::string>> ticks() const;  // places from 0 to 1

 private:
  double low() const;
  double high() const;
  double low_ = 0, high_ = 0;  // ns
};

}  // namespace tailcap::report::charts
