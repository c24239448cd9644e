// Requests to look at: the slowest, the one most like all slow ones, the slowest of the second cause; and a typical one
// for each.
#pragma once

#include <vector>

#include "analyze/model/study/tail_study.h"
#include "analyze/tail/slow/cohorts.h"

namespace tailcap::tail::slow {

// study: its labels in order of their differences.
std::vector<model::Exemplar> exemplars_of(const std::vector<Item>& items, const Cohorts& cohorts,
                                          const Columns& columns, const model::TailStudy& study);

// The places, of `requests` requests in order of duration, from which exemplars are chosen by their labels.
std::vector<std::size_t> exemplar_places(const CohortPlaces& cohorts, std::size_t requests);

}  // namespace tailcap::tail::slow
