#include "analyze/partition/history/busy_loop.h"

#include <algorithm>
#include <iterator>

namespace tailcap::partition {
namespace {

// sqliteDefaultBusyCallback() in SQLite's main.c, in ms; the last one is repeated.
constexpr Nanos kDelays[] = {1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100};
constexpr Nanos kMs = 1'000'000;
// An attempt to take the lock takes less than this, CPU time of others left aside.
constexpr Nanos kAttempt = 5'000'000;
constexpr int kLeast = 3, kMost = 1024;  // sleeps

Nanos asked(const OffCpuWait& w) { return w.blocked == Blocked::sleep && w.due != 0 ? w.due - w.time : 0; }

Nanos delay(int number) {
  return kDelays[std::min<std::size_t>(static_cast<std::size_t>(number), std::size(kDelays) - 1)] * kMs;
}

bool in_between(const OffCpuWait& w) { return w.blocked == Blocked::preempted || w.blocked == Blocked::throttled; }

// The sleep before, or after, in the same loop; nullptr: none.
const OffCpuWait* neighbour(const ThreadLog& log, const OffCpuWait& w, int step) {
  const OffCpuWait* at = &w;
  do {
    if (step < 0 && at == log.waits.begin()) return nullptr;
    at += step;
    if (at == log.waits.end()) return nullptr;
  } while (in_between(*at));
  const Nanos apart = step < 0 ? w.time - at->back : at->time - w.back;
  return asked(*at) != 0 && apart < kAttempt ? at : nullptr;
}

}  // namespace

bool sleeps_like_sqlite(const ThreadLog& log, const OffCpuWait& sleep) {
  if (asked(sleep) == 0 || asked(sleep) > kDelays[std::size(kDelays) - 1] * kMs) return false;
  const OffCpuWait* first = &sleep;
  for (int n = 0; n < kMost && asked(*first) != delay(0); ++n) {
    first = neighbour(log, *first, -1);
    if (!first) return false;
  }
  bool met = false;
  int number = 0;
  for (const OffCpuWait* at = first; at && number < kMost && asked(*at) == delay(number); ++number) {
    met = met || at == &sleep;
    if (met && number + 1 >= kLeast) return true;
    at = neighbour(log, *at, 1);
  }
  return false;
}

}  // namespace tailcap::partition
