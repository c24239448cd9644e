// The verdicts of a whole capture: what several routes have in common is said once.
#pragma once

#include "analyze/model/study/study.h"

namespace tailcap::tail::verdict {

// Fills study.verdicts and study.shortage from the verdicts of its routes. Those worth reading come first.
void conclude(const model::RequestTable& table, model::Study& study);

}  // namespace tailcap::tail::verdict
