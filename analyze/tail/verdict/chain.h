// What was behind the waits of slow requests: the waits of those that they waited for.
#pragma once

#include <vector>

#include "analyze/model/study/verdict.h"
#include "analyze/tail/slow/cohorts.h"
#include "analyze/tail/verdict/surroundings.h"

namespace tailcap::tail::verdict {

// Fills chain, beyond_capture and root of this part of the slow cohort.
void look_through(model::VerdictPart& part, const std::vector<slow::Item>& items, const slow::Cohorts& cohorts,
                  const VerdictContext& around);

}  // namespace tailcap::tail::verdict
