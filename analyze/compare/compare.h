// Runs of two versions compared, with the run as the unit that varies.
#pragma once

#include <span>

#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

// noise: other runs of one version, which show how runs vary; for one run a side.
model::gate::Comparison compare(std::span<const model::gate::Run> base, std::span<const model::gate::Run> fresh,
                                const model::gate::CompareOptions& options,
                                std::span<const model::gate::Run> noise = {});

}  // namespace tailcap::compare
