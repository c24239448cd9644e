// Seconds in which a route was slow while the processors of its process were used up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/label.h"
#include "analyze/model/study/change_study.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

struct Trigger {
  static constexpr std::size_t kRequests = 64;

  std::uint32_t pid = 0;
  std::uint32_t route = 0;  // index into Study::routes
  Time from = kNoTime, to = kNoTime;
  double busy = 0;                        // share of its processors, or of its CPUs, on average
  bool processors = false;                // GOMAXPROCS; otherwise CPUs
  double quantile = 0.99;                 // that was compared: 0.95 where there are too few requests
  Shift latency;                          // before: in the rest of the recording, outside all such seconds
  std::uint64_t inside = 0, outside = 0;  // requests
  // The label of which slow requests (slower than that percentile of the rest) have more than the rest: a hypothesis.
  bool labelled = false;
  Label label = Label::unexplained_nocarrier;
  std::int64_t label_time = 0, label_typical = 0;  // means, ns
  std::vector<ExchangeId> requests;                // slow ones, longest first
  // What they were seen in most: function within function, outermost first; or what they waited in. Empty: not known.
  std::string stack;
  bool waiting = false;                     // the counts are ns of waiting; otherwise samples
  std::uint64_t samples = 0, of_stack = 0;  // of these requests; with that stack
};

}  // namespace tailcap::model
