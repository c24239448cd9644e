// The health of services and dependencies over time: a map on the page, lines of letters elsewhere.
#pragma once

#include <string>
#include <vector>

#include "analyze/flow/study.h"
#include "analyze/report/json_writer.h"

namespace tailcap::report {

inline constexpr const char* kHealthTitle = "Health, from left to right in time";

// A line for each, a letter for each window, and what the letters mean. Printable; empty: there are too few requests.
std::vector<std::string> health_lines(const flow::Health& health);
std::string health_html(const flow::Health& health);
void append_health(JsonWriter& json, const flow::Study& study);

}  // namespace tailcap::report
