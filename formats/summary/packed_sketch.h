// A sketch as bytes: two a bucket, mostly. formats/FORMAT.md, "Summaries".
#pragma once

#include <string>
#include <string_view>

#include "formats/summary/duration_sketch.h"

namespace tailcap::formats {

// An empty one has no bytes.
std::string packed(const DurationSketch& sketch);
// False: no sketch has these bytes. Each sketch has one form.
bool unpack(std::string_view bytes, DurationSketch& out);

}  // namespace tailcap::formats
