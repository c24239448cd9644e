// In which order changes are said, and which of them another one explains.
#pragma once

#include "analyze/model/difference/difference.h"

namespace tailcap::compare {

// Fills changes: routes of which a number changed, most first. Where requests were served on both sides, only of those:
// calls are seen in the requests that made them.
void rank_changes(model::difference::Difference& out);

}  // namespace tailcap::compare
