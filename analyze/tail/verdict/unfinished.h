// Requests of a route that had no answer when the recording ended, and what they waited for.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/tail/verdict/surroundings.h"

namespace tailcap::tail::verdict {

// Requests of a route that ended.
struct Ended {
  std::vector<std::int64_t> durations;  // ns
  std::optional<std::int64_t> usual;    // their p99, or the longest where there are too few; unset: none ended
};

// rows: of the route. Nothing if those without an answer are not older than is usual.
std::optional<model::Verdict> unfinished_verdict(const std::vector<std::uint32_t>& rows, const Ended& ended,
                                                 const VerdictContext& around);

}  // namespace tailcap::tail::verdict
