// What a capture says of itself before it is analysed.
#pragma once

#include <cstdint>
#include <string>

namespace tailcap::cli {

struct KnownCapture {
  std::string id, host;
  std::int64_t recording_began = 0, began = 0, ended = 0;  // about, ns since 1970

  // Throws std::runtime_error or std::system_error.
  explicit KnownCapture(const std::string& path);
};

}  // namespace tailcap::cli
