// Stacks for speedscope (https://www.speedscope.app/file-format-schema.json).
#pragma once

#include <string>

#include "analyze/model/study/flame.h"

namespace tailcap::views {

// One profile of samples. Weights are nanoseconds, bytes, or numbers of samples, as the values of the stacks are.
std::string speedscope(const model::Flame& flame);

}  // namespace tailcap::views
