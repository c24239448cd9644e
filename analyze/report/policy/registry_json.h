// The rates at the end of a replay, as a policy that lists them: docs/policy-file.schema.json is its schema.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/policy/outcome.h"
#include "analyze/model/wall_clock.h"

namespace tailcap::report {

struct RegistryText {
  std::string json;
  std::size_t listed = 0;
  std::size_t left_out = 0;  // routes for which it has no room, or whose names are no text of their own in it
};

// The policy has a sampler. most_bytes: what readers of such files accept.
RegistryText registry_json(const model::policy::PolicyOutcome& outcome, const model::WallClock& clock,
                           std::size_t most_bytes);

}  // namespace tailcap::report
