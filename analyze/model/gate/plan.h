// What a gate could decide on a machine, from runs of one version on it.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "analyze/model/gate/metric.h"
#include "analyze/model/gate/run.h"

namespace tailcap::model::gate {

// For all of a gate: the runs that screen, and fresh ones.
inline constexpr std::array<double, 3> kPlannedBudgets{120, 300, 600};  // seconds

inline constexpr double kNever = std::numeric_limits<double>::infinity();

struct PlannedBudget {
  double seconds = 0;
  std::size_t screening = 0, fresh = 0;  // runs a side; without fresh ones nothing fails
};

// In the unit of the estimate: increases are ratios where it is relative.
struct PlannedGate {
  Metric metric;
  RouteName route;
  bool by_default = true;  // or given
  std::string missing;     // why nothing is known of it; empty: something is
  bool exact = false;      // every request has the same number: one more is found
  double base = 0;
  double noise = 0;  // standard deviation of runs, of a duet that of differences; relative: of the logarithm
  double threshold = 0;
  // By budget: the increase that is found in 80 % (kNever: none is), and the share of equal versions that pass.
  std::array<double, kPlannedBudgets.size()> detectable{}, passes{};
  double proposed = kNever;  // the least threshold that 90 % of equal versions pass in the second budget
  std::string gate;          // the expression of --fail-on with it; empty: none is proposed
};

struct GatePlan {
  bool made = false;
  std::size_t runs = 0;        // a side
  double run_seconds = 0;      // that each takes, with its beginning and end
  double least = 1, most = 1;  // the true noise divided by the measured one: 90 % interval
  std::vector<PlannedBudget> budgets;
  std::vector<PlannedGate> gates;
  std::vector<std::string> not_judged;  // what, and why, in words
};

}  // namespace tailcap::model::gate
