// What is known of the goroutines of Go programs: how long they wait for their turn, which are left behind, how busy
// they are.
#pragma once

#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/report/words/grid.h"

namespace tailcap::report {

std::vector<Grid> go_grids(const model::Study& study);

}  // namespace tailcap::report
