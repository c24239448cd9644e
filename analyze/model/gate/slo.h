// Limits that a service promises to keep, and whether recordings show that it does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/gate/comparison.h"
#include "analyze/model/gate/metric.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::model::gate {

struct Objective {
  Metric metric;
  double limit = 0;      // at most; ns, a share, a number per request
  bool of_time = false;  // label: the limit is a share of the route's time
  std::string text;      // of the limit, as written: "200ms"
  std::size_t line = 0;  // in the file, from 1
};

inline constexpr std::int64_t kMinute = 60'000'000'000, kDay = 24 * 60 * kMinute;  // ns

struct Slo {
  std::string name, description;  // empty: none
  std::string route;              // "POST /pay", "/api/*"; "*": every route
  std::optional<Role> role;       // unset: served requests where any were recorded, otherwise calls
  std::vector<Objective> objectives;
  std::size_t line = 0;  // in the file, from 1
  // Alerts have these.
  std::string severity;             // empty: the default of each
  std::int64_t hold = 5 * kMinute;  // ns: how long a limit is broken before an alert fires
  std::int64_t period = 30 * kDay;  // ns: of the error budget
};

// One objective, held against one route of one capture.
struct ObjectiveResult {
  std::size_t slo = 0, objective = 0;
  std::string file;
  RouteName route;  // meaningful where found
  bool found = false;
  GateVerdict verdict = GateVerdict::undecided;
  std::vector<std::string> missing;  // why it is undecided
  bool observed = false;             // the value decided, because the interval did not
  bool known = false;                // value is
  bool interval = false;             // low and high are; only low where upper is false
  bool upper = false;
  bool at_least = false;                // the value is a lower bound: requests broke off or were cut off
  double value = 0, low = 0, high = 0;  // 95 % interval, within this capture
  std::uint64_t requests = 0;           // that were evaluated
  std::string of;                       // what the calls are of; empty: not one thing
};

enum class DecideBy : std::uint8_t {
  interval,  // what lies within the interval is undecided
  observed,  // there the value of the capture decides
};

struct Assertion {
  std::vector<Slo> slos;
  std::vector<ObjectiveResult> results;
  GateVerdict verdict = GateVerdict::undecided;
  DecideBy by = DecideBy::interval;
};

}  // namespace tailcap::model::gate
