// Requests of a route that had no answer when the recording ended, and what they waited for.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/tail/verdict/surroundings.h"

namespace tailcap::tail::verdict {

// rows: of the route. usual: the p99 of its requests that ended, or the longest where too few did, ns; unset: none did.
// Nothing if those without an answer are not older.
std::optional<model::Verdict> unfinished_verdict(const std::vector<std::uint32_t>& rows,
                                                 std::optional<std::int64_t> usual, const Surroundings& around);

}  // namespace tailcap::tail::verdict
