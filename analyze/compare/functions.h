// In which functions the CPU time of requests changed, from samples inside them: advisory, and never a gate.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "analyze/compare/estimate.h"
#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

// Fewer samples of both sides together say nothing of a function.
inline constexpr std::uint64_t kLeastSamples = 30;

// The caller that makes up more than half of the change. by_caller: ns a request, of the base and the new side.
std::string main_caller(const std::map<std::string, std::array<double, 2>>& by_caller);
// A change of this size (ns a request) in a function is worth a word. mean: the duration of the route's requests, ns.
bool worth_a_function(double size, double mean);

// Fills out.functions. The run is the unit: each gives one number for each function, and what changes is held against
// how runs differ. base, fresh: of a duet in the order of the pairs. out has its routes and what stands against
// comparing.
void compare_functions(const std::vector<const model::gate::Run*>& base,
                       const std::vector<const model::gate::Run*>& fresh, Pairs pairs, model::gate::Comparison& out);

}  // namespace tailcap::compare
