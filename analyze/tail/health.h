// Adds up how services and dependencies fared, window by window.
#pragma once

#include "analyze/model/request.h"
#include "analyze/model/study/health.h"
#include "analyze/model/study/study.h"

namespace tailcap::tail {

// study.begin and end are set.
model::Health health_of(const model::RequestTable& table, const model::Study& study);

}  // namespace tailcap::tail
