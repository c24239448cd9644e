// What differs in the software of two sides: a fact about what is compared, and no reason by itself.
#pragma once

#include <span>
#include <vector>

#include "analyze/model/gate/run.h"
#include "analyze/model/gate/software.h"

namespace tailcap::compare {

// Compares programs, files and, in Go programs, build information that both sides have; what one side alone has may not
// have been recorded on the other.
std::vector<model::gate::SoftwareChange> software_changes(std::span<const model::gate::Run> base,
                                                          std::span<const model::gate::Run> fresh);

}  // namespace tailcap::compare
