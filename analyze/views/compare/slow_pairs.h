// One slow request of each side of a comparison, read again with everything around it.
#pragma once

#include <span>
#include <vector>

#include "analyze/model/gate/comparison.h"
#include "analyze/report/compare/slow_requests.h"

namespace tailcap::views {

inline constexpr std::size_t kMostSlowPairs = 3;  // every request is two readings of its capture

// Pairs of the routes whose gates fail; where none does, of the route that changed most. Routes that are not compared
// have none.
std::vector<report::SlowPair> slow_pairs(const model::gate::Comparison& comparison,
                                         std::span<const model::gate::Run> base,
                                         std::span<const model::gate::Run> fresh);

}  // namespace tailcap::views
