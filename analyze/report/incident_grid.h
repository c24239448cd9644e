// Processes that ended and programs that panicked, as a table.
#pragma once

#include "analyze/flow/study.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/grid.h"

namespace tailcap::report {

Grid incident_grid(const flow::Study& study);
void append_incident(JsonWriter& json, const flow::Incident& incident, const flow::WallClock& clock);

}  // namespace tailcap::report
