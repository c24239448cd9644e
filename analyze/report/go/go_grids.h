// What is known of the goroutines of Go programs: how long they wait for their turn, which are left behind, how busy
// they are.
#pragma once

#include <vector>

#include "analyze/flow/study.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/grid.h"

namespace tailcap::report {

std::vector<Grid> go_grids(const flow::Study& study);

// The fields delays, left_behind, use and busy of a Go program; clock: for times.
void append_go_details(JsonWriter& json, const flow::GoStudy& program, const flow::WallClock& clock);

}  // namespace tailcap::report
