// What the runtime of Go programs did, in words and as JSON (docs/JSON.md describes the names).
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::report {

// "shop 4711, go1.22.3: 12 collections; the world stopped 24 times, median 31.0 µs, …". printable().
std::vector<std::string> go_lines(const model::Study& study);
}  // namespace tailcap::report
