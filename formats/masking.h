// How certain the recorder was of the data that it masked.
#pragma once

#include <cstdint>

namespace tailcap::formats {

// Connections and TLS sessions since the previous event of this kind. For one in doubt, bytes were withheld because
// their meaning was not known; a foreign one uses no protocol that is read, and none of its bytes are kept.
struct Masking {
  std::uint64_t streams = 0;  // that moved bytes for the first time
  std::uint64_t foreign = 0;
  std::uint64_t doubtful = 0;
  std::uint64_t withheld = 0;  // bytes, of those in doubt
  // Calls with bytes withheld in doubt, on connections and sessions that are proved to carry HTTP: each may have
  // carried a request, or a response, that is not in the capture.
  std::uint64_t sends = 0;
  std::uint64_t receives = 0;
  bool operator==(const Masking&) const = default;
};

}  // namespace tailcap::formats
