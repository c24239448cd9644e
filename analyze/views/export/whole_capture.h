// Captures that are added up with others.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::views {

// Throws std::runtime_error where the capture cannot be one of many: it has no id, records a part of all connections,
// or is a part of a capture.
void require_one_of_many(const std::string& file, const model::Quality& quality);

}  // namespace tailcap::views
