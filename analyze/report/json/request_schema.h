// What the columns of a request are in JSON.
#pragma once

#include <string>

#include "analyze/report/json/json_type.h"

namespace tailcap::report {

// A request in a document: without header fields.
const Description& request_description();
const Description& request_with_headers();
std::string requests_schema();  // of a line of `requests --json`

}  // namespace tailcap::report
