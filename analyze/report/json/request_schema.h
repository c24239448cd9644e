// What the columns of a request are in JSON.
#pragma once

#include "analyze/report/json/json_type.h"

namespace tailcap::report {

// A request in a document: without header fields.
const Description& request_description();

}  // namespace tailcap::report
