// How far a capture can be trusted, in full: what was recorded, what is missing, what recording cost.
#pragma once

#include <cstddef>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report {

// In a fixed order.
// pairs: of connections that were recorded at both ends.
std::vector<FactLine> quality_lines(const model::Study& study, std::size_t pairs = 0);
// How many connections with requests were recorded at both ends.
std::size_t connection_pairs(const model::RequestTable& table);

}  // namespace tailcap::report
