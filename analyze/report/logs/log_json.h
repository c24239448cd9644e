// Lines of log files beside a request, in JSON.
#pragma once

#include "analyze/model/logs/log_line.h"
#include "analyze/report/json/shape.h"

namespace tailcap::report {

// One member, `logs`.
const Shape<model::LogBook, Anywhere>& logs_shape();

}  // namespace tailcap::report
