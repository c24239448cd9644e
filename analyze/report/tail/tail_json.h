// The tail study of a route for machines; docs/JSON.md describes every name.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

// Appends an object, or null.
void append_tail(std::string& out, const model::RouteStudy& route, const model::Study& study,
                 const model::RequestTable& table);

}  // namespace tailcap::report::tail
