// What threads ask of files.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/time.h"

namespace tailcap::formats {

enum class FileAct : std::uint8_t { open = 0, read = 1, write = 2, sync = 3, unknown = 255 };

// Event::thread was in a call on a file in [began, Event::time).
struct FileCall {
  FileAct act = FileAct::open;
  Time began = kNoTime;
  std::int64_t result = 0;       // as the call returned it: descriptor, bytes, or a negative errno
  std::int32_t descriptor = -1;  // that it was made on; -1: on none, or not known
  std::string_view path{};       // of an open as the caller gave it, perhaps relative; empty: not known
  bool operator==(const FileCall&) const = default;
};

}  // namespace tailcap::formats
