// What a policy would have done, in the order of time, as a table.
#pragma once

#include <cstddef>

#include "analyze/model/policy/outcome.h"
#include "analyze/render/document.h"

namespace tailcap::report {

// most: rows of it.
void add_policy_actions(render::Document& out, const model::policy::PolicyOutcome& outcome, std::size_t most);

}  // namespace tailcap::report
