// tailcap info --goroutines: how many requests each goroutine of a Go server served, and what follows from that.
#pragma once

#include <string>

#include "analyze/model/study/study.h"
#include "analyze/report/json/json_type.h"

namespace tailcap::views {

std::string go_use_text(const model::Study& study);  // for people
std::string go_use_json(const model::Study& study);  // one line
const report::Description& go_use_description();     // of it

}  // namespace tailcap::views
