// What is recorded, and how: the groups of probes, samples, stacks, connections, TLS.
#pragma once

#include "capture/options/given.h"
#include "capture/probes/probes.h"

namespace tailcap::capture {

// budget: what recording costs has a bound. probes: with its selection, payload and amounts. Throws UsageError.
void choose_probes(const Given& given, bool budget, ProbeSettings& probes);

}  // namespace tailcap::capture
