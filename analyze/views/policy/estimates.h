// What is estimated from the requests that a sampling keeps, beside what is true of all of them.
#pragma once

#include <vector>

#include "analyze/model/policy/outcome.h"
#include "analyze/views/policy/sampler.h"

namespace tailcap::policy {

// missed: the most that are listed.
model::policy::SamplingOutcome estimate(const std::vector<Decision>& decisions, const model::RequestTable& table,
                                        std::size_t missed);

}  // namespace tailcap::policy
