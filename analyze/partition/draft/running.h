// Labels the time in which a thread carried a request: it ran, or it waited for a known or unknown reason.
#pragma once

#include <span>

#include "analyze/partition/draft/calls.h"
#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

// The thread carried the request in [from, to).
void add_running(const DraftContext& k, std::uint32_t tid, Nanos from, Nanos to, std::span<const Call> calls,
                 Draft& draft, model::Evidence evidence = model::Evidence::measured);
// Adds run-queue latency in [wait.runnable, wait.back), after a wake-up that was not for the request alone.
void add_queued(const OffCpuWait& wait, Nanos from, Nanos to, Draft& draft);
// Adds what is known of a new thread's wait for its first CPU where the recorder did not tell of it (older versions).
void add_first_wait(const ThreadLog& log, Nanos from, Nanos to, Draft& draft);
// Adds losses that affect the whole request whatever its carrier: those of its connections, and those of unknown owner.
void add_lost(const DraftContext& k, std::span<const Call> calls, Draft& draft);

}  // namespace tailcap::partition
