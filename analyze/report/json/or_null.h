// Values that may not be known, in JSON.
#pragma once

#include <cstdint>
#include <string_view>

#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

inline void field_or_null(JsonWriter& json, std::string_view name, bool known, std::int64_t value) {
  json.key(name);
  if (known)
    json.number(value);
  else
    json.null();
}

}  // namespace tailcap::report
