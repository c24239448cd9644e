// Processes that ended and programs that panicked, as a table.
#pragma once

#include "analyze/model/study/study.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/grid.h"

namespace tailcap::report {

Grid incident_grid(const model::Study& study);
void append_incident(JsonWriter& json, const model::Incident& incident, const model::WallClock& clock);

}  // namespace tailcap::report
