// What is said about the requests of a route that failed: how, when, and what happened while they were under way.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/tail/verdict/surroundings.h"

namespace tailcap::tail::verdict {

// rows: of one route, in the order of start. Unset: none failed, or the servers of all that failed are recorded.
// around.study: its begin, end and troubles are set.
std::optional<model::Verdict> failing_verdict(const std::vector<std::uint32_t>& rows, const VerdictContext& around);

}  // namespace tailcap::tail::verdict
