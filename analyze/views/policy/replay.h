// A policy, replayed over a capture: when its conditions would have fired, what it would have kept and rejected.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "analyze/model/policy/outcome.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/views/policy/error_lines.h"

namespace tailcap::policy {

// More looks than a capture of some length needs.
inline constexpr std::int64_t kMostLooks = 1'000'000;

class ReplayError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

bool needs_account(const model::policy::Policy& policy);

// Replays the requests in [first, last] of the table's recording. missed: the most that are listed. lines: null: no log
// files were given, and log_errors is not known. weight: how many requests each one stands for, where a part of the
// connections is recorded; 0: that is not known. Throws ReplayError.
model::policy::PolicyOutcome replay(const model::policy::Policy& policy, const model::RequestTable& table,
                                    formats::Time first, formats::Time last, std::size_t missed,
                                    const ErrorLines* lines = nullptr, double weight = 1);

}  // namespace tailcap::policy
