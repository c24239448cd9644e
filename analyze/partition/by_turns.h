// Event loops: a thread that serves many at a time carries a request during its turns only.
//
// Between two waits of the loop is a batch. In it, who moves bytes has the turn until another does; what comes before
// the first belongs to it if it is a send, or if its arrival woke the loop. A request that is not in turn waits for what
// it needs, and once that is there for the loop, which may be in another's turn.
#pragma once

#include <span>

#include "analyze/partition/calls.h"
#include "analyze/partition/draft.h"

namespace tailcap::partition {

void add_by_turns(const Known& k, std::uint32_t loop, std::span<const Call> calls, Draft& draft);

}  // namespace tailcap::partition
