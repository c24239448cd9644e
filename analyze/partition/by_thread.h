// Thread per request: who moved bytes of it carries it, from the thread that read its first byte on.
//
// Where another thread goes on, the time between the one's last act and the other's first is split where the other was
// woken for it; until then the request waited for a worker.
#pragma once

#include <boost/container/small_vector.hpp>
#include <span>

#include "analyze/partition/draft/calls.h"
#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

using Acts = boost::container::small_vector<Act, 8>;

void add_by_thread(const DraftContext& k, std::span<const Call> calls, Draft& draft);

// Off-CPU intervals are not recorded: what was under way is all that can be said. acts: the request's.
void add_without_waits(const DraftContext& k, std::span<const Call> calls, const Acts& acts, Draft& draft);

// The bytes of this request that were moved, in order of time: all of its connection, or, where that carries several at
// the same time, those at its milestones.
Acts acts_of(const DraftContext& k, const Window& w);

}  // namespace tailcap::partition
