// What the runtime of Go programs did, in words and as JSON (docs/JSON.md describes the names).
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

// "shop 4711, go1.22.3: 12 collections; the world stopped 24 times, median 31.0 µs, …". printable().
std::vector<std::string> go_lines(const model::Study& study);
void append_go_program(JsonWriter& json, const model::GoStudy& program, const model::WallClock& clock);

}  // namespace tailcap::report
