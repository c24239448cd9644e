// The gates of a comparison for which none were given: p99 and errors of every route, and counts that never vary.
#pragma once

#include <functional>

#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

inline constexpr double kDefaultIncrease = 0.10;  // p99, bytes of a response
inline constexpr double kDefaultErrors = 0.0025;  // share
inline constexpr double kDefaultCount = 0.05;     // calls, connects, lookups, retries per request

// Puts them into comparison.gates, without estimates and verdicts, and into not_gated what they leave out, and why.
// Gates on a count are made where fixed(route, metric) says that every request of the base has the same: one more is no
// chance there.
void add_default_gates(model::gate::Comparison& comparison,
                       const std::function<bool(std::size_t route, const model::gate::Metric&)>& fixed);

// After judge(): moves those to not_gated that noise keeps undecided, and that found no sign of an increase.
void leave_undecidable_out(model::gate::Comparison& comparison);

}  // namespace tailcap::compare
