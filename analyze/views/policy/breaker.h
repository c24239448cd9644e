// A circuit breaker, replayed: closed, open, half open.
//
// It sees what it lets pass. What a service would have done with the rejected requests gone is not known: the others
// are taken as they were recorded.
#pragma once

#include <deque>
#include <vector>

#include "analyze/model/policy/outcome.h"
#include "analyze/views/policy/condition.h"

namespace tailcap::policy {

class BreakerReplay {
 public:
  BreakerReplay(const model::policy::Breaker& breaker, const std::vector<model::policy::PolicyCondition>& conditions);
  BreakerReplay(BreakerReplay&&) = default;
  BreakerReplay(const BreakerReplay&) = delete;

  // A request begins; `row` is its number in the table.
  void begin(const model::Request& row, const model::TextPool& texts, std::uint32_t number);
  // It has ended. In the order of the ends, each after its beginning.
  void end(const model::columns::ColumnFacts& facts, std::uint32_t number);
  // After the requests that have ended by then. weight: as in ConditionWindow::judge().
  void look(Time now, Time first, double weight);
  model::policy::BreakerOutcome finish(Time last);

 private:
  enum class Fate : std::uint8_t { other, passed, rejected, probe };
  // condition: of the policy, that opens it.
  void become(model::policy::BreakerState state, Time now, std::size_t condition = SIZE_MAX);
  Fate& fate(std::uint32_t number);

  const model::policy::Breaker breaker_;
  RouteMatch route_;
  std::vector<ConditionWindow> windows_;  // of the conditions that open it
  std::vector<Hold> holds_;
  model::policy::BreakerState state_ = model::policy::BreakerState::closed;
  Time since_ = formats::kNoTime, closed_since_ = formats::kNoTime;
  std::size_t sent_ = 0;                   // probes
  std::deque<ConditionObservation> done_;  // of those
  std::vector<Fate> fates_;                // by number
  std::vector<std::uint32_t> generation_;  // of probes: those of an earlier half-open state do not count
  std::uint32_t half_opens_ = 0;
  model::policy::BreakerOutcome out_;
};

}  // namespace tailcap::policy
