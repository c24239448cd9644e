// What services run, as JSON.
#pragma once

#include "analyze/report/json/shape.h"
#include "formats/summary/summary.h"

namespace tailcap::report {

const Shape<formats::SummaryDeployment, Anywhere>& deployment_shape();

}  // namespace tailcap::report
