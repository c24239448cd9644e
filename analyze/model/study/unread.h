// What the recorded processes did and the capture does not hold, although no event of it was lost.
#pragma once

#include <string_view>

#include "analyze/model/study/study.h"

namespace tailcap::model {

// The prefix of the recorder's notes about traffic that it could not record (formats/FORMAT.md).
inline constexpr std::string_view kUnrecorded = "tailcap.unrecorded.";
// The note is about traffic whose requests are missing. UDP is mostly no request.
bool leaves_requests_out(std::string_view note);
bool some_left_out(const Quality& quality);

// False: traffic was left out, a process that has requests was not recorded, or connections were encrypted and not
// read, or moved bytes that were not captured.
bool all_read(const Quality& quality);

}  // namespace tailcap::model
