// What is said about the slowest requests of a route. Thresholds are absolute and few; each has its reason beside it.
#pragma once

#include "analyze/model/study/study.h"
#include "analyze/tail/slow/cohorts.h"
#include "analyze/tail/verdict/surroundings.h"

namespace tailcap::tail::verdict {

// tail: its differences, bursts and culprits. The indexes of routes are left empty.
model::Verdict judge(const std::vector<slow::Item>& items, const slow::Cohorts& cohorts, const model::TailStudy& tail,
                     const VerdictContext& around);
// Fewer requests than can be compared; cohorts: all of them are slow.
model::Verdict account_for_few(const std::vector<slow::Item>& items, const slow::Cohorts& cohorts,
                               const std::vector<model::CulpritStudy>& culprits, const VerdictContext& around);

// The mean duration beyond the quantile, expected from the spread of the middle half; ns.
std::int64_t ordinary_slow_mean(const std::vector<slow::Item>& items, double from);

}  // namespace tailcap::tail::verdict
