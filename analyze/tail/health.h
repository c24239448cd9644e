// Adds up how services and dependencies fared, window by window.
#pragma once

#include "analyze/flow/health.h"
#include "analyze/flow/request.h"
#include "analyze/flow/study.h"

namespace tailcap::tail {

// study.begin and end are set.
flow::Health health_of(const flow::RequestTable& table, const flow::Study& study);

}  // namespace tailcap::tail
