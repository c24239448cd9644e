// The names that attributes had before the semantic conventions for HTTP became stable (1.23), for tools that still use
// them.
#pragma once

#include "analyze/model/trace/span.h"

namespace tailcap::spans {

void use_old_names(model::Span& span);

}  // namespace tailcap::spans
