// Seconds in which a route was slow while the processors of its process were used up, in sentences.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::report {

inline constexpr const char* kTriggersTitle = "Triggers: slow while no processor was to spare";

// Printable; empty: there are none.
std::vector<std::string> trigger_lines(const model::Study& study);
}  // namespace tailcap::report
