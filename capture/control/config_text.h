// The content of a configuration file, as its user can read it.
#pragma once

#include <cstddef>
#include <string>

namespace tailcap::capture {

inline constexpr std::size_t kMaxConfig = 64 << 10;  // bytes

// Throws std::invalid_argument: it cannot be read, is longer than kMaxConfig, or no file.
std::string read_config(const std::string& path);

}  // namespace tailcap::capture
