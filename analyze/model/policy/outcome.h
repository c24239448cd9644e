// What a policy would have done to a recorded service.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/gate/comparison.h"
#include "analyze/model/policy/policy.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::model::policy {

using formats::Time;

struct Firing {
  std::size_t condition = 0;
  Time from = formats::kNoTime, to = formats::kNoTime;  // the looks; `to` unknown: it had not resolved at the end
  std::vector<std::optional<double>> values;            // of its limits, when it fired
  std::uint64_t requests = 0;                           // in its window then, of the route
};

// Requests that began from `from` on are kept at these rates.
struct RateChange {
  Time from = formats::kNoTime;
  std::vector<bool> applies;  // of the adaptations: its condition holds
};

struct PolicyFigures {
  double count = 0;
  std::optional<double> errors;                         // a share
  std::array<std::optional<double>, 3> quantiles = {};  // ns: p50, p95, p99
};
inline constexpr std::array<double, 3> kPolicyQuantiles = {0.5, 0.95, 0.99};

struct PolicyEstimate {
  std::optional<gate::RouteName> route;  // unset: all of them
  std::uint64_t requests = 0, kept = 0, by_rule = 0;
  std::uint64_t never = 0;  // requests that no chance could keep: the estimates do not cover them
  PolicyFigures truth, estimate;
  std::uint64_t slow = 0, slow_kept = 0, failed = 0, failed_kept = 0;
};

struct Missed {
  ExchangeId id;
  Time start = formats::kNoTime;
  std::int64_t duration = -1;  // ns; -1: not known
  std::uint16_t status = 0;
  bool slow = false, failed = false;
  double rate = 0;
  std::string what;  // "GET /pay"; as recorded
};

struct SamplingOutcome {
  std::vector<RateChange> changes;
  PolicyEstimate all;
  std::vector<PolicyEstimate> routes;  // most requests first
  std::vector<Missed> missed;          // failed ones and slow ones, the slowest first; at most the number asked for
  std::uint64_t missed_total = 0;
};

enum class BreakerState : std::uint8_t { closed, open, half_open };
std::string_view name_of(BreakerState state);

struct BreakerChange {
  Time at = formats::kNoTime;
  BreakerState to = BreakerState::closed;
};

struct BreakerOutcome {
  std::vector<BreakerChange> changes;
  std::uint64_t requests = 0, rejected = 0;
  std::uint64_t rejected_failed = 0, rejected_unknown = 0;  // of the rejected: they failed as recorded; not known
  Duration not_closed{};                                    // open and half open
};

struct PolicyOutcome {
  std::string file;
  Policy policy;
  Time first = formats::kNoTime, last = formats::kNoTime;
  std::uint64_t looks = 0;
  std::uint64_t requests = 0;   // that were judged
  std::uint64_t left_out = 0;   // of these ends and beginnings, or durations, are not known
  std::vector<Firing> firings;  // by time
  std::optional<SamplingOutcome> sampling;
  std::vector<BreakerOutcome> breakers;  // of those of the policy
};

}  // namespace tailcap::model::policy
