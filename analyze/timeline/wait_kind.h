// What a thread waited for, told from its state and the system call it was blocked in.
#pragma once

#include "analyze/flow/request.h"
#include "formats/event.h"

namespace tailcap::timeline {

// The part before it was made runnable. A read or write of a descriptor counts as socket or disk only where the
// record proves it; otherwise it is `other`.
flow::ThreadTime wait_kind(const formats::OffCpu& off);

// It was runnable the whole time: preempted.
bool preempted(const formats::OffCpu& off);

}  // namespace tailcap::timeline
