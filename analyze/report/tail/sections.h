// Sentences about the tail study: for the top of the report, and under the table behind each of them.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

// Under a route's table: what the columns mean, how it was compared, how sure it is. Printable sentences.
std::vector<std::string> notes(const model::TailStudy& tail, const model::Study& study);

// The blockers of the slow requests, those that account for 1 % of their time or more:
// "waiting for a lock: at 0x7f001234 held by POST /restock, in 12 slow requests, 34.5 ms".
std::vector<std::string> culprit_lines(const model::TailStudy& tail, const model::TextPool& texts);

}  // namespace tailcap::report::tail
