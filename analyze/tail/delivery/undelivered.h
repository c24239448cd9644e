// Responses of a route that the service had written, and that went out only later.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/tail/verdict/surroundings.h"

namespace tailcap::tail::delivery {

// rows: of the route. Nothing unless that took longer than the requests themselves, and long enough to matter.
std::optional<model::Verdict> undelivered_verdict(const std::vector<std::uint32_t>& rows,
                                                  const verdict::VerdictContext& around);

}  // namespace tailcap::tail::delivery
