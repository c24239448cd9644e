// Availability, limits, error budgets and burn rates of services, by week.
#pragma once

#include <vector>

#include "analyze/model/summaries/scorecard.h"
#include "formats/summary/summary.h"

namespace tailcap::summaries {

// Weeks begin on Monday, UTC. Values are those of what was recorded.
model::Scorecard scorecard_of(const formats::Summary& summary, std::vector<model::gate::Slo> slos);

}  // namespace tailcap::summaries
