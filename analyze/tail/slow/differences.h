// What the slow cohort has more of than the typical one, label by label, summing exactly to the difference of the
// totals.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/study/tail_study.h"
#include "analyze/tail/slow/cohorts.h"

namespace tailcap::tail::slow {

// Fills slow_mean, typical_mean and, one per column in the order of columns, labels without their intervals.
// The typical mean is that of requests made up as the slow ones are: each cell counts for its share of the slow ones.
void find_differences(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns,
                      model::TailStudy& out);

}  // namespace tailcap::tail::slow
