// Objectives held against recordings.
#pragma once

#include <span>
#include <vector>

#include "analyze/model/gate/run.h"
#include "analyze/model/gate/slo.h"

namespace tailcap::views {

// Every objective in every route that it means, of every run. Fails if one fails, passes if all pass.
model::gate::Assertion assert_slos(std::vector<model::gate::Slo> slos, std::span<const model::gate::Run> runs,
                                   model::gate::DecideBy by);

}  // namespace tailcap::views
