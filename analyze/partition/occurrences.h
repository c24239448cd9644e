// How often a request's carrier waited, under which labels, and how many collections of Go began meanwhile: exactly, or
// not at all.
#pragma once

#include "analyze/model/occurrences.h"
#include "analyze/partition/drafted.h"

namespace tailcap::partition {

// The draft knows who carried it, its pieces what happened then.
model::Occurrences occurrences_of(const DraftContext& k, const Drafted& drafted);

}  // namespace tailcap::partition
