// Threads that wait for something by trying again and again: SQLite for a lock on its file, with sleeps of known
// lengths between, others for a lock with a time limit.
#pragma once

#include "analyze/partition/history/observed.h"

namespace tailcap::partition {

// This sleep is one of at least three in SQLite's order.
bool sleeps_like_sqlite(const ThreadLog& log, const OffCpuWait& sleep);
// The process that has the lock on a file which the thread was refused just before it went to sleep; 0: none, or not
// known.
std::uint32_t refused_by(const ThreadLog& log, const OffCpuWait& wait);
// The wait of the thread ended because its time was up: a time limit expired, and the thread did not go on waiting for
// the same thing until another thread woke it.
bool expired(const ThreadLog& log, const OffCpuWait& wait);

}  // namespace tailcap::partition
