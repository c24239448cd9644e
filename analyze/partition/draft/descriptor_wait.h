// Waits for a descriptor: for what comes on a connection, or for room there.
#pragma once

#include "analyze/partition/draft/carrying_thread.h"

namespace tailcap::partition {

// Labels the wait up to there.
void add_descriptor_wait(CarryingThread& thread, const OffCpuWait& wait, Nanos until);

}  // namespace tailcap::partition
