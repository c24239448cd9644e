// Whether the latest part of a recording holds requests for which a snapshot is wanted.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/policy/policy.h"
#include "analyze/model/request.h"
#include "analyze/views/policy/condition.h"

namespace tailcap::watch {

using formats::Duration;
using formats::Time;

// What was seen at one look.
struct Sight {
  std::size_t ended = 0, matching = 0;  // requests of the route, those recorded at both ends once
  bool holds = false;
  bool known = true;  // false: what is not there might make it hold, or not
  std::string what;   // where it holds: "GET /pay took 312 ms, status 200"; printable
};

// Requests that ended in (since, until]: the window of a condition with `over` 0, otherwise its window `over` ends at
// `until`. first: of what the table covers. weight: as in policy::ConditionWindow::judge.
Sight look(const model::RequestTable& table, const model::policy::PolicyCondition& condition, Time first, Time since,
           Time until, double weight = 1);
// A request that has been without an answer for `unanswered` at `until`.
Sight look_unanswered(const model::RequestTable& table, Duration unanswered, Time until);

// After it has fired, it does not fire again before `rest` has passed.
class WatchTrigger {
 public:
  explicit WatchTrigger(Duration rest) : rest_(rest) {}
  // now: of the looks, ascending. True: it fires.
  bool fires(bool holds, Time now);

 private:
  const Duration rest_;
  Time fired_ = formats::kNoTime;
};

}  // namespace tailcap::watch
