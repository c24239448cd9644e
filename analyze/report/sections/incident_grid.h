// Processes that ended and programs that panicked, as a table.
#pragma once

#include <string>

#include "analyze/model/study/study.h"
#include "analyze/report/words/grid.h"

namespace tailcap::report {

// "shop 4711 ended at +1.2 s: killed by SIGSEGV, core dumped; 3 requests were under way. …" printable().
std::string incident_text(const model::Study& study, const model::Incident& incident);
Grid incident_grid(const model::Study& study);
}  // namespace tailcap::report
