// Shares in JSON.
#pragma once

#include <cmath>
#include <string_view>

#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

// More digits would only be noise.
inline void share(JsonWriter& json, std::string_view name, double value) {
  json.key(name);
  json.real(std::round(value * 1e6) / 1e6);
}

}  // namespace tailcap::report
