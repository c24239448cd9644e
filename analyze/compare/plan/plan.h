// What gates could decide on this machine, by the noise of runs of one version.
#pragma once

#include <vector>

#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

// runs: of one version, or the pairs of a duet with it on both sides. Compares them as if every second pair of runs was
// of a new version (ABBA); the plan of that comparison says what gates could decide. options.screened: the runs a side
// of a gate that flag, as many as each round of fresh ones. run_seconds: that one run takes, or a pair.
model::gate::Comparison plan(std::vector<model::gate::Run> runs, const model::gate::CompareOptions& options,
                             double run_seconds);

}  // namespace tailcap::compare
