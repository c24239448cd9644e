// Event loops: a thread that serves many at a time carries a request during its turns only.
//
// Between two waits of the loop is a batch. In it, who sends had the turn before that, since the last act: loops that
// read for all first and run the handlers afterwards are so; what comes before a read belongs to who acted before, and
// the first read of a batch to the request that it is for if its arrival woke the loop. A request that is not in turn
// waits for what it needs, and once that is there for the loop, which may be in another's turn.
#pragma once

#include <span>

#include "analyze/partition/draft/calls.h"
#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

void add_by_turns(const DraftContext& k, std::uint32_t loop, std::span<const Call> calls, Draft& draft);

}  // namespace tailcap::partition
