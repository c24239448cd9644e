// The tail study of a route for machines; docs/JSON.md describes every name.
#pragma once

#include <string>

#include "analyze/flow/study.h"

namespace tailcap::report::tail {

// Appends an object, or null.
void append_tail(std::string& out, const flow::RouteStudy& route, const flow::RequestTable& table,
                 const flow::WallClock& clock);

}  // namespace tailcap::report::tail
