// Two captures side by side: what differs, what changed most first.
#pragma once

#include "analyze/model/difference/difference.h"

namespace tailcap::compare {

model::difference::Difference diff(const model::difference::CaptureSide& a, const model::difference::CaptureSide& b);

}  // namespace tailcap::compare
