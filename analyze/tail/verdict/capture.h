// The verdicts of a whole capture: what several routes have in common is said once.
#pragma once

#include "analyze/model/study/study.h"
#include "analyze/tail/slow/links.h"

namespace tailcap::tail::verdict {

// links: null where no request has a partition. Fills study.verdicts and study.shortage from the verdicts of its
// routes. Those worth reading come first.
void conclude(const model::RequestTable& table, const slow::Links* links, model::Study& study);

}  // namespace tailcap::tail::verdict
