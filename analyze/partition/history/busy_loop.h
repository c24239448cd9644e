// SQLite waits for a lock on its file by trying again and again, with sleeps of known lengths between.
#pragma once

#include "analyze/partition/history/observed.h"

namespace tailcap::partition {

// This sleep is one of at least three in SQLite's order.
bool sleeps_like_sqlite(const ThreadLog& log, const OffCpuWait& sleep);

}  // namespace tailcap::partition
