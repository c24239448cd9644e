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
  // Calls of which bytes were withheld in doubt, on connections and sessions that are proved to carry HTTP: each may
  // have carried a request, or a response, that is not in the capture.
  std::uint64_t sends = 0;
  std::uint64_t receives = 0;
  bool operator==(const Masking&) const = default;
};

}  // namespace tailcap::formats
