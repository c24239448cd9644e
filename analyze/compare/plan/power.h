// How often a gate fails and passes: the tests of confirm.h and gates.h, held against simulated runs.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analyze/compare/estimate.h"
#include "analyze/compare/welch.h"

namespace tailcap::compare {

// What a gate does on a machine.
struct GateDesign {
  std::size_t screening = 5;  // runs a side that flag; in a duet, pairs
  std::size_t fresh = 5;      // at most, in rounds of as many as screen; the last may be shorter
  std::size_t tests = 1;      // gates that share the level
  Pairs pairs = Pairs::no;
};

// The unit of thresholds and increases is the standard deviation of runs; of a duet, that of the differences. Runs are
// drawn from the normal distribution, always the same ones.
class Power {
 public:
  explicit Power(const GateDesign& design);

  struct Outcome {
    double fails = 0, passes = 0;  // shares
  };
  Outcome outcome(double threshold, double increase) const;
  // The increase that fails in 80 %; nothing: none does.
  std::optional<double> detectable(double threshold) const;
  // The least threshold that 90 % of equal versions pass.
  double passable() const;

 private:
  struct Look {
    Effect effect;
    double mde;
  };
  // A gate looks once at the screening, and after each round at all runs and at the fresh ones alone.
  struct Trial {
    std::vector<Look> all, alone;
  };
  int verdict(const Trial& trial, double threshold, double increase) const;

  GateDesign design_;
  std::vector<Trial> trials_;
};

}  // namespace tailcap::compare
