// The machine's clocks, read together.
#pragma once

#include <ctime>

#include "formats/recorder_event.h"

namespace tailcap::capture {

std::int64_t read_clock(clockid_t clock);  // ns
formats::Time monotonic_now();

struct ClockReading {
  formats::Time time;  // CLOCK_MONOTONIC
  formats::ClockSnapshot snapshot;
};
// The closest of several tries.
ClockReading read_clocks();

}  // namespace tailcap::capture
