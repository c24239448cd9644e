// How certain the recorder was of what it masked.
#pragma once

#include <cstdint>

namespace tailcap::formats {

// Connections and TLS sessions since the event of this kind before. One in doubt is one of which bytes were withheld
// because it was not known what they were; a foreign one is in no protocol that is read, and nothing of it is kept.
struct Masking {
  std::uint64_t streams = 0;  // that moved bytes for the first time
  std::uint64_t foreign = 0;
  std::uint64_t doubtful = 0;
  std::uint64_t withheld = 0;  // bytes, of those in doubt
  bool operator==(const Masking&) const = default;
};

}  // namespace tailcap::formats
