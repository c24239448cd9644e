// Samples of connections, and estimates of the whole.
#pragma once

#include <optional>

#include "analyze/model/study/study.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

// null where all connections are recorded
void append_budget(JsonWriter& json, const model::Budget& budget);
void append_sampling(JsonWriter& json, const model::Quality& quality);
// of: 1; the number of seconds for a rate. null where there is none
void append_estimate(JsonWriter& json, const std::optional<model::Estimate>& estimate, double of);

}  // namespace tailcap::report
