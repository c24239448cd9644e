// The message in a summary's file (summary.capnp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/summary/summary.h"

namespace tailcap::formats {

// In Cap'n Proto's standard framing.
std::vector<std::uint64_t> summary_message(const Summary& summary);
// Returns why it is damaged, or an empty string. `out` is empty before.
std::string read_summary_message(const std::vector<std::uint64_t>& message, Summary& out);

}  // namespace tailcap::formats
