// Requests to look at: the slowest, the one most like all slow ones, the slowest of the second cause; and a typical one
// for each.
#pragma once

#include <vector>

#include "analyze/flow/tail_study.h"
#include "analyze/tail/slow/cohorts.h"

namespace tailcap::tail::slow {

// study: its labels in order of their differences.
std::vector<flow::Exemplar> exemplars_of(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns,
                                         const flow::TailStudy& study);

}  // namespace tailcap::tail::slow
