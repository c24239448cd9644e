// How often a request's carrier waited, and how many collections of Go began meanwhile: exactly, or not at all.
#pragma once

#include "analyze/model/occurrences.h"
#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

// The draft knows who carried it.
model::Occurrences occurrences_of(const DraftContext& k, const Draft& draft);

}  // namespace tailcap::partition
