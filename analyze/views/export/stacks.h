// Stacks as folded text, and as a profile of pprof.
#pragma once

#include "analyze/views/export/exported.h"
#include "analyze/views/flame/stacks.h"

namespace tailcap::views {

// Throws std::runtime_error where there are no stacks of that kind.
Exported export_stacks(const std::string& file, FlameChoice choice, bool pprof, const Write& write);

}  // namespace tailcap::views
