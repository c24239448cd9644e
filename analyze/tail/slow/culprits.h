// Who was behind the time of the slow requests: locks with their holders, calls, neighbours.
#pragma once

#include <vector>

#include "analyze/model/study/tail_study.h"
#include "analyze/tail/slow/cohorts.h"
#include "analyze/tail/slow/links.h"
#include "formats/preamble.h"

namespace tailcap::tail::slow {

// Who one blocker is, without its times.
model::CulpritStudy culprit_study(const model::Culprit& culprit, const model::RequestTable& table, const Links& links,
                                  const formats::Preamble& preamble);

std::vector<model::CulpritStudy> culprits_of(const model::RequestTable& table, const std::vector<Item>& items,
                                             const Cohorts& cohorts, const Links& links,
                                             const formats::Preamble& preamble);

}  // namespace tailcap::tail::slow
