// Names of block devices.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tailcap::capture {

inline constexpr std::size_t kMaxDisks = 256;

// "254:0" → "vda", as /sys/dev/block says now. At most kMaxDisks; empty where /sys cannot be read.
std::vector<std::pair<std::string, std::string>> disk_names();

}  // namespace tailcap::capture
