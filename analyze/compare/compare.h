// Repeated runs of two versions compared, with the run as the unit that varies (method runs-welch).
#pragma once

#include <span>

#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

model::gate::Comparison compare(std::span<const model::gate::Run> base, std::span<const model::gate::Run> fresh,
                                const model::gate::CompareOptions& options);

}  // namespace tailcap::compare
