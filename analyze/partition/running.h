// What a thread did while it carried a request: it ran, or what it waited for says why not.
#pragma once

#include <span>

#include "analyze/partition/calls.h"
#include "analyze/partition/draft.h"

namespace tailcap::partition {

// The thread carried the request in [from, to).
void add_running(const DraftContext& k, std::uint32_t tid, Nanos from, Nanos to, std::span<const Call> calls,
                 Draft& draft, flow::Evidence evidence = flow::Evidence::measured);
// A wake-up that was not for the request's thread alone: it waited for a CPU in [wait.runnable, wait.back).
void add_queued(const OffCpuWait& wait, Nanos from, Nanos to, Draft& draft);
// What was lost of the whole request, whoever carried it: of the given connection, and of nobody knows whom.
void add_lost(const DraftContext& k, std::span<const Call> calls, Draft& draft);

}  // namespace tailcap::partition
