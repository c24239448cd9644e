// A log line that is an object of JSON.
#pragma once

#include <string_view>

#include "analyze/logs/fields.h"

namespace tailcap::logs {

// Gives its fields, those of objects in it with a dotted name, three levels deep. False: it is no object of JSON; some
// fields may have been given.
bool read_json_line(std::string_view text, Fields& fields);

}  // namespace tailcap::logs
