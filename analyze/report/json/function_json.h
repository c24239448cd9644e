// A function in which requests were on a CPU.
#pragma once

#include <optional>

#include "analyze/model/study/flame.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

inline void append_function(JsonWriter& json, const std::optional<model::HotFunction>& function) {
  if (!function) return json.null();
  json.begin_object();
  json.field("name", function->name);
  json.field("samples", function->samples);
  json.field("inside", function->inside);
  json.end_object();
}

}  // namespace tailcap::report
