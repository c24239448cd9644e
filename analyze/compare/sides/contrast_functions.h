// In which functions the CPU time of a route's requests differs, from samples inside them.
#pragma once

#include <vector>

#include "analyze/compare/sides/contrasts.h"

namespace tailcap::compare {

// With kLeastSamples or more on both sides together; largest change first. None where samples tell no CPU time.
std::vector<model::difference::FunctionContrast> contrast_functions(const RoutePair& pair, const Surroundings& around);

// Why functions of the two are not compared; empty: they are.
std::string no_functions(const model::gate::Run& a, const model::gate::Run& b);

// The change is large enough to be named, where it is no chance.
bool worth_saying_of_function(const model::difference::Contrast& time, const model::difference::RouteDifference& route);

}  // namespace tailcap::compare
