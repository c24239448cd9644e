// Whether a condition holds for the requests that ended in a window. `tailcap policy` and `tailcap watch` ask the same.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "analyze/model/policy/policy.h"
#include "analyze/model/request.h"
#include "analyze/model/sampling/sampling.h"
#include "analyze/query/filter.h"

namespace tailcap::policy {

using formats::Duration;
using formats::Time;
using model::policy::Limit;

// A request that was recorded at both ends counts once, at its server.
bool counts(const model::Request& row);
// Where an end is not known, the beginning stands for it. Meaningless for requests in flight.
Time ended(const model::Request& row);

// Each request stands for this number where a part of the connections is recorded; 0: the number is not known.
double weight_of(const model::Sampling& sampling);

// The requests of a route pattern (docs/assert.md).
class RouteMatch {
 public:
  explicit RouteMatch(std::string pattern) : pattern_(std::move(pattern)) {}
  bool operator()(const model::Request& row, const model::TextPool& texts);

 private:
  std::string pattern_;
  std::map<std::tuple<model::TextId, model::TextId>, bool> known_;
};

// What a condition asks of a request that has ended.
struct ConditionObservation {
  Time at = formats::kNoTime;
  std::int64_t duration = -1;  // ns; -1: it does not count, or is not known
  bool judged = false;         // its outcome is known
  bool failed = false, client_error = false;
  bool matching = true;  // where
  bool labelled = false;
  std::array<std::int64_t, 4> labels{};  // ns, of the limits that are labels, in their order
};
// Without `matching` and labels.
ConditionObservation observe(const model::Request& row);

struct LimitValue {
  bool known = false;
  double value = 0;
};

struct ConditionJudgement {
  bool holds = false;
  std::vector<LimitValue> values;            // of the limits
  std::uint64_t requests = 0, matching = 0;  // of the route
};

// The requests of a condition that ended within its window.
class ConditionWindow {
 public:
  // `over` replaces the condition's where it is not 0.
  explicit ConditionWindow(const model::policy::PolicyCondition& condition, Duration over = {});
  ConditionWindow(ConditionWindow&&) = default;
  ConditionWindow(const ConditionWindow&) = delete;

  const model::policy::PolicyCondition& condition() const { return condition_; }
  bool needs_account() const;

  // Requests that have ended, ascending by ended(). True: it is of the route and matches.
  bool push(const model::columns::ColumnFacts& facts);
  // The same without keeping it.
  bool matches(const model::columns::ColumnFacts& facts);
  // Lines that count for log_errors, ascending; it is known only where some are expected.
  void expect_lines() { lines_known_ = true; }
  void push_line(Time at) { lines_.push_back(at); }
  // At a time that ascends, after the requests that have ended by then. `first`: of what is known; a number of requests
  // is not small because the window begins before it. weight: how many requests each of them stands for, if a part of
  // the connections is recorded; 0: that is not known.
  ConditionJudgement judge(Time now, Time first, double weight = 1);
  // Forgets all requests.
  void clear() { held_.clear(); }

 private:
  model::policy::PolicyCondition condition_;
  Duration over_;
  std::vector<query::Filter> filters_;
  RouteMatch route_;
  std::deque<ConditionObservation> held_;
  std::deque<Time> lines_;
  bool lines_known_ = false;
};

// A value of a limit; `seconds`: of the window; weight: as above.
LimitValue measure(const Limit& limit, std::size_t label, const std::deque<ConditionObservation>& held, double seconds,
                   double weight = 1);
bool keeps(const Limit& limit, const LimitValue& value);

// A condition that must hold at all looks of the time `hold`.
class Hold {
 public:
  explicit Hold(Duration hold) : hold_(hold) {}
  // now: of the looks, ascending.
  bool held(bool holds, Time now);
  void clear() { since_ = formats::kNoTime; }

 private:
  Duration hold_;
  Time since_ = formats::kNoTime;
};

}  // namespace tailcap::policy
