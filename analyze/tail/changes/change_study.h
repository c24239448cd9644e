// What became of the routes' latencies at the last changes.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"

namespace tailcap::tail::changes {

// Fills study.changes.shifts. rows: by route, as in study.routes; each in order of start. study.changes.changes, begin
// and end are set.
void study_changes(const model::RequestTable& table, const std::vector<const std::vector<std::uint32_t>*>& rows,
                   model::Study& study);

}  // namespace tailcap::tail::changes
