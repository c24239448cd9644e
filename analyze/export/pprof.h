// Stacks as a profile of pprof (proto/profile.proto of github.com/google/pprof).
#pragma once

#include <cstdint>
#include <string>

#include "analyze/model/study/flame.h"

namespace tailcap::exports {

// duration: of the recording, ns; period: CPU time that a sample stands for, ns. 0: not known.
std::string pprof(const model::Flame& flame, std::int64_t duration, std::int64_t period);

}  // namespace tailcap::exports
