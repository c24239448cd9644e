// Says of a capture that it was redacted: two flags in the headers of its preamble and of its footer, which programs
// that know nothing of captures can match (formats/FORMAT.md).
#pragma once

#include <cstdint>
#include <string>

namespace tailcap::formats {

inline constexpr std::uint8_t kBlockRedacted = 0x04, kBlockStrict = 0x08;

struct Marker {
  bool preamble = false, footer = false;  // where the flag is
  bool strict = false;                    // in both
};
// Throws like Reader.
Marker marker_of(const std::string& path);

}  // namespace tailcap::formats
