#include "capture/host/clocks.h"

namespace tailcap::capture {

std::int64_t read_clock(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

formats::Time monotonic_now() { return formats::time_from(read_clock(CLOCK_MONOTONIC)); }

ClockReading read_clocks() {
  ClockReading best;
  best.snapshot.uncertainty = formats::Duration::max();
  for (int i = 0; i < 10; i++) {
    const auto before = read_clock(CLOCK_MONOTONIC);
    const auto realtime = read_clock(CLOCK_REALTIME);
    const auto boottime = read_clock(CLOCK_BOOTTIME);
    const auto after = read_clock(CLOCK_MONOTONIC);
    const formats::Duration width{after - before};
    if (width >= best.snapshot.uncertainty) continue;
    best.time = formats::time_from(before + (after - before) / 2);
    best.snapshot = {realtime, boottime, width};
  }
  return best;
}

}  // namespace tailcap::capture
