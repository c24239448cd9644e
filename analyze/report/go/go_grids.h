// What is known of the goroutines of Go programs: how long they wait for their turn, which are left behind, how busy
// they are.
#pragma once

#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/grid.h"

namespace tailcap::report {

std::vector<Grid> go_grids(const model::Study& study);

// The fields delays, left_behind, use and busy of a Go program; clock: for times.
void append_go_details(JsonWriter& json, const model::GoStudy& program, const model::WallClock& clock);

}  // namespace tailcap::report
