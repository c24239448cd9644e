// The machine's clocks, read together.
#pragma once

#include "formats/recorder_event.h"

namespace tailcap::capture {

formats::Time monotonic_now();

struct ClockReading {
  formats::Time time;  // CLOCK_MONOTONIC
  formats::ClockSnapshot snapshot;
};
// The closest of several tries.
ClockReading read_clocks();

}  // namespace tailcap::capture
