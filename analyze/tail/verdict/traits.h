// What is over-represented among the slow requests of a route: a client, a connection, a thread, a size, a load, many
// calls.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/study/verdict.h"
#include "analyze/tail/slow/cohorts.h"
#include "analyze/tail/slow/links.h"

namespace tailcap::tail::verdict {

// At most two, the least likely first. bursts: of the slow requests; those of one burst are one observation.
// queued: they wait for each other, so the load is no trait but a consequence.
std::vector<model::SharedTrait> shared_traits(const std::vector<slow::Item>& items, const slow::Cohorts& cohorts,
                                              std::uint64_t bursts, const model::RequestTable& table,
                                              const slow::Links& links, bool queued = false);

}  // namespace tailcap::tail::verdict
