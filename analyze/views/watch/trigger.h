// Whether the latest part of a recording holds requests for which a snapshot is wanted.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/query/filter.h"

namespace tailcap::watch {

using formats::Duration;
using formats::Time;

struct Condition {
  std::vector<query::Filter> filters;  // all must match; none: no ended request does
  double share = 0;                    // of the requests that ended, at least; 0: one is enough
  std::size_t least = 1;               // requests that match, at least
  Duration unanswered{};               // a request without an answer for so long; 0: not looked for
};

// What was seen at one look.
struct Sight {
  std::size_t ended = 0, matching = 0;  // requests, those recorded at both ends once
  bool holds = false;
  std::string what;  // where it holds: "GET /pay took 312 ms, status 200"; printable
};

// Requests that ended in (since, until]; unanswered ones at `until`.
Sight look(const model::RequestTable& table, const Condition& condition, Time since, Time until);

// A condition must hold at all looks of so long; after it has fired, it rests.
class Trigger {
 public:
  Trigger(Duration hold, Duration rest) : hold_(hold), rest_(rest) {}
  // now: of the looks, ascending. True: it fires.
  bool fires(bool holds, Time now);

 private:
  const Duration hold_, rest_;
  Time since_ = formats::kNoTime, fired_ = formats::kNoTime;
};

}  // namespace tailcap::watch
