// Limits that a service promises to keep, and whether recordings show that it does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/gate/comparison.h"
#include "analyze/model/gate/metric.h"

namespace tailcap::model::gate {

struct Objective {
  Metric metric;
  double limit = 0;      // at most; ns, a share, a number per request
  bool of_time = false;  // label: the limit is a share of the route's time
  std::string text;      // of the limit, as written: "200ms"
  std::size_t line = 0;  // in the file, from 1
};

struct Slo {
  std::string name;   // empty: none
  std::string route;  // "POST /pay", "/api/*"; "*": every route
  std::vector<Objective> objectives;
};

// One objective, held against one route of one capture.
struct ObjectiveResult {
  std::size_t slo = 0, objective = 0;
  std::string file;
  RouteName route;  // meaningful where found
  bool found = false;
  Verdict verdict = Verdict::undecided;
  std::vector<std::string> missing;  // why it is undecided
  bool known = false;                // value is
  bool interval = false;             // low and high are; only low where upper is false
  bool upper = false;
  double value = 0, low = 0, high = 0;  // 95 % interval, within this capture
  std::uint64_t requests = 0;           // that were evaluated
};

struct Assertion {
  std::vector<Slo> slos;
  std::vector<ObjectiveResult> results;
  Verdict verdict = Verdict::undecided;
};

}  // namespace tailcap::model::gate
