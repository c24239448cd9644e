// What is estimated from the requests that a sampler keeps, beside what is true of all of them.
#pragma once

#include <vector>

#include "analyze/model/policy/outcome.h"
#include "analyze/views/policy/sampler.h"

namespace tailcap::policy {

// A request with a known outcome.
struct JudgedRequest {
  Decision decision;
  std::size_t number = 0;      // of the decision
  std::int64_t duration = -1;  // ns; -1: it does not count, or is not known
  bool failed = false, slow = false;
};

// Slow as in the report of a route without a gap.
std::vector<JudgedRequest> judged(const std::vector<Decision>& decisions, const model::RequestTable& table);

// missed: the most that are listed.
model::policy::SamplingOutcome estimate(std::vector<JudgedRequest>& requests, const model::RequestTable& table,
                                        std::size_t missed);
// All routes together.
model::policy::PolicyEstimate estimate_of_all(const std::vector<JudgedRequest>& requests);

}  // namespace tailcap::policy
