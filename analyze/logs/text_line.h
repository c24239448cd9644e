// A log line of plain text or logfmt.
#pragma once

#include <cstdint>
#include <string_view>

#include "analyze/logs/fields.h"
#include "analyze/logs/times.h"

namespace tailcap::logs {

// pattern: where the time is; null: at the beginning, in a usual form. near: ns since 1970, for times without a year.
// In plain text, only fields that name a trace or a request count, like `trace_id=…`.
// Returns what a program wrote behind the time of a container's runtime, or JSON behind a time; empty: there is none.
std::string_view read_text_line(std::string_view text, const TimePattern* pattern, std::int64_t near,
                                model::LoggedLine& line, Fields& fields);

}  // namespace tailcap::logs
