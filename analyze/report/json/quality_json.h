// How far a capture can be trusted, as JSON.
#pragma once

#include "analyze/model/study/study.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

void append_quality(JsonWriter& json, const model::Quality& quality);

}  // namespace tailcap::report
