// What `tailcap report --json` says of an RPC method; docs/JSON.md describes every name.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report {

// Appends an object, or null where the route is no method.
void append_calls(std::string& out, const model::RouteStudy& route, const model::RequestTable& table,
                  const model::WallClock& clock);

}  // namespace tailcap::report
