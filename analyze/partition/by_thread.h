// Thread per request: who moved bytes of it carries it, from the thread that read its first byte on.
//
// Where another thread goes on, the time between the one's last act and the other's first is split where the other was
// woken for it; until then the request waited for a worker.
#pragma once

#include <span>
#include <vector>

#include "analyze/partition/calls.h"
#include "analyze/partition/draft.h"

namespace tailcap::partition {

void add_by_thread(const DraftContext& k, std::span<const Call> calls, Draft& draft);

// Off-CPU intervals are not recorded: what was under way is all that can be said. acts: the request's.
void add_without_waits(const DraftContext& k, std::span<const Call> calls, const std::vector<Act>& acts, Draft& draft);

// The bytes of this request that were moved, in order of time: all of its connection, or, where that carries several at
// the same time, those at its milestones.
std::vector<Act> acts_of(const DraftContext& k, const Window& w);

}  // namespace tailcap::partition
