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

// A thread that polls for a lock with a time limit (Python's GIL) waits again after less than this, on the same
// condition variable.
constexpr Nanos kWaitsAgain = 1'000'000;
constexpr std::uint64_t kConditionVariable = 64;  // bytes
constexpr std::size_t kTries = 2048;

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

std::uint32_t refused_by(const ThreadLog& log, const OffCpuWait& wait) {
  const RefusedLock* last = log.refused.last_until(wait.time);
  return last && wait.time - last->time < kAttempt ? last->by : 0;
}

bool expired(const ThreadLog& log, const OffCpuWait& wait) {
  if (wait.blocked != Blocked::futex || wait.due == 0) return false;
  const OffCpuWait* last = &wait;
  std::size_t tries = 0;
  for (const OffCpuWait* w = &wait + 1; w != log.waits.end() && tries < kTries; ++w, ++tries) {
    if (w->blocked == Blocked::preempted || w->blocked == Blocked::throttled) continue;
    const std::uint64_t a = last->argument0, b = w->argument0;
    if (w->blocked != Blocked::futex || (a < b ? b - a : a - b) >= kConditionVariable) return true;
    Nanos ran = w->time - last->back;
    for (const OffCpuWait* off = last + 1; off != w; ++off) ran -= off->back - off->time;
    if (ran > kWaitsAgain) return true;
    if (w->due == 0) return !w->woken();
    last = w;
  }
  return tries < kTries;
}

}  // namespace tailcap::partition
