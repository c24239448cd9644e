// How often something happened in a request's time, where that is known exactly.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "analyze/model/handlers.h"
#include "analyze/model/label.h"

namespace tailcap::model {

enum class NotCounted : std::uint8_t {
  counted,
  unsettled,  // the request has no account
  not_asked,  // the group of events was not recorded
  states,     // Go: the states of goroutines were not recorded
  loop,       // an event loop carried it together with others
  carrier,    // it is not known which thread or goroutine carried it all the time
  lost,       // events that could be of it were lost
  not_of_go,  // its program is none of Go, or its collector was not recorded
};

struct Occurrence {
  std::int32_t times = -1;  // -1: not known
  NotCounted why = NotCounted::unsettled;
  bool operator==(const Occurrence&) const = default;
};

// Counts, while the carrier carried the request, its off-CPU intervals, the parks of a goroutine among them, and those
// that a wake-up ended. The process's: the collections of Go that began.
struct Occurrences {
  Occurrence waits, wake_ups, collections;
  // The waits by the label under which they began; without those that are not known.
  std::vector<std::pair<Label, std::int32_t>> by_label;
  bool operator==(const Occurrences&) const = default;
};
using RequestOccurrences = BesideRequests<Occurrences>;

}  // namespace tailcap::model
