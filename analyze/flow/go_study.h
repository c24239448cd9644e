// What Go's runtime did in one process while it was recorded.
#pragma once

#include <cstdint>
#include <string>

#include "formats/time.h"

namespace tailcap::flow {

struct GoStudy {
  static constexpr std::uint64_t kStopsForP99 = 100;  // fewer say nothing of it

  std::uint32_t pid = 0;
  std::string comm, version;          // empty: not known
  std::string unsupported;            // what cannot be told of it and why; empty: nothing
  std::uint64_t goroutines_made = 0;
  std::uint64_t collections = 0;      // that began
  std::uint64_t assists = 0;          // by goroutines that allocate while a collection is on
  std::uint64_t stops = 0;            // of the world, seen from the moment one is asked for until it runs again
  formats::Duration stop_median{}, stop_p99{}, stop_longest{}, stop_total{};  // meaningful where stops > 0, p99 from kStopsForP99 on
  std::uint64_t requests = 0;         // that it served, with a duration
  std::uint64_t requests_stopped = 0; // of these: under way during a stop
};

}  // namespace tailcap::flow
