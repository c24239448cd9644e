// What a policy would have done, in the order of time.
#pragma once

#include <vector>

#include "analyze/model/policy/outcome.h"

namespace tailcap::policy {

// The outcome's firings and changes of breakers, and changes of rates, which are by time; at most kMostActions.
std::vector<model::policy::PolicyAction> actions_of(const model::policy::PolicyOutcome& outcome,
                                                    const std::vector<model::policy::PolicyAction>& rates);

}  // namespace tailcap::policy
