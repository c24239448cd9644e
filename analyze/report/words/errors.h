// Errors as every report counts and prints them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/study/error_counts.h"

namespace tailcap::report {

// "39 × 5xx (1.3 %)", "22 × 4xx", "2 broken off"; of: requests, 0 leaves the share out. Empty: there are none.
std::vector<std::string> error_parts(const model::ErrorCounts& errors, std::uint64_t of);
// The same with commas.
std::string errors_text(const model::ErrorCounts& errors, std::uint64_t of);

}  // namespace tailcap::report
