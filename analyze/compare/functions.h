// In which functions the CPU time of requests changed, from samples inside them: advisory, and never a gate.
#pragma once

#include <vector>

#include "analyze/compare/estimate.h"
#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

// Fewer samples of both sides together say nothing of a function.
inline constexpr std::uint64_t kLeastSamples = 30;

// Fills out.functions. The run is the unit: each gives one number for each function, and what changes is held against
// how runs differ. base, fresh: of a duet in the order of the pairs. out has its routes and what stands against
// comparing.
void compare_functions(const std::vector<const model::gate::Run*>& base,
                       const std::vector<const model::gate::Run*>& fresh, Pairs pairs, model::gate::Comparison& out);

}  // namespace tailcap::compare
