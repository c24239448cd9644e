// The durations of some requests, by one rule for those without an end.
//
// A request that broke off lasted at least until then, and one that the recording cut off until the recording's end.
// Both are counted with that lower bound. They were not seen to be faster than it, and how much slower they are is
// unknown.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/tail/rows/standing.h"

namespace tailcap::tail {

// What a request that has no end lasted at least, in ns. It began in the recording, which ended at `end`.
// -1: nothing is known of it.
std::int64_t lasted(const model::Request& row, formats::Time end);

// What else is known about the sample.
struct Shortfall {
  std::uint64_t tainted = 0;    // further requests of the route whose duration is unknown or doubtful
  std::uint64_t in_flight = 0;  // further requests that had begun before the recording or not ended with it
  double seconds = 0;           // length of the capture; 0: unknown
};

// What requests without an end lasted at least, in ns.
struct WithoutEnd {
  std::vector<std::int64_t> broken;   // they broke off, and are in the sample with this
  std::vector<std::int64_t> cut_off;  // they are not in the sample, but in Shortfall::in_flight
};

struct Durations {
  std::vector<std::int64_t> in_order;  // ns, as the requests began; of one that broke off, what it lasted at least
  WithoutEnd without_end;

  // Counts the request in the shortfall where it has none. Whether in_order grew by one.
  bool push(const model::Request& row, DurationStanding standing, formats::Time end, Shortfall& shortfall);
  // The same, without unpacking rows with a duration.
  bool push(const model::Rows& rows, std::size_t i, DurationStanding standing, formats::Time end, Shortfall& shortfall);
};

}  // namespace tailcap::tail
