// What became of the routes' latencies at the last changes.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/flow/request.h"
#include "analyze/flow/study.h"

namespace tailcap::tail::changes {

// Fills study.changes.shifts. rows: by route, as in study.routes; each in order of start. study.changes.changes, begin
// and end are set.
void study_changes(const flow::RequestTable& table, const std::vector<const std::vector<std::uint32_t>*>& rows,
                   flow::Study& study);

}  // namespace tailcap::tail::changes
