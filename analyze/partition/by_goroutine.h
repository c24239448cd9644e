// Go: the goroutine that sends the response's first byte carries the request; over HTTP/2 the one that runs its
// handler.
//
// Between two sightings it ran, if both were on one thread and nothing else was seen there meanwhile; otherwise it was
// parked: on the call that was under way, until its answer arrived; then it was runnable until a thread took it. What
// it was parked for otherwise is go.park, unless its states are recorded (deep profile).
#pragma once

#include <span>

#include "analyze/partition/draft/calls.h"
#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

struct CarryingGoroutine {
  std::uint64_t number = 0;  // 0: not known
  bool handler = false;      // it runs the request's handler, while others move its bytes: HTTP/2
};
void add_by_goroutine(const DraftContext& k, CarryingGoroutine goroutine, std::span<const Call> calls, Draft& draft);

}  // namespace tailcap::partition
