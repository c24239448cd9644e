// A window of a long capture for the requests between two moments.
#pragma once

#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/window/past.h"

namespace tailcap::pipeline {

// Before the first reading: makes `from` and `to` times of the capture. Reads all clocks of the capture where one is a
// time of day. False, and nothing is changed: a block is damaged or missing, so that what a time of day means is not
// known before the readings.
bool resolve_moments(Replay& replay, Options& options);

// Before the first reading: where the capture has a past before Options::from that need not be read, all readings
// begin with what is kept of it. past: but for threads and passed.
void begin_at_from(Replay& replay, Options& options, PastOptions past);

}  // namespace tailcap::pipeline
