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
  Time from = formats::kNoTime, to = formats::kNoTime;   // the looks; `to` unknown: it had not resolved at the end
  std::vector<std::optional<double>> values;             // of its limits, when it fired
  std::uint64_t requests = 0;                            // in its window then, of the route
  std::vector<std::optional<double>> values_after = {};  // of its limits, when it resolved
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

// What a formula would have done to requests that began in a window.
struct FormulaResult {
  double rate = 1;
  bool known = false;  // the window before decides it; otherwise it is the policy's `rate`
  std::uint64_t kept = 0, slow_missed = 0, failed_missed = 0;
};

// A route in one window.
struct FormulaWindow {
  Time from = formats::kNoTime;
  std::string route;
  WindowFigures figures = {};                                       // they decide the rates of the next window
  std::uint64_t begun = 0, slow = 0, failed = 0;                    // of the requests that began in it
  std::array<FormulaResult, kRateFormulas.size()> by_formula = {};  // of those
};

// A sampling beside the policy's.
struct SamplingVariant {
  enum class Kind : std::uint8_t { policy, adaptive, adaptive_clamped, adapt };  // adapt: `rate` and `adapt` only
  Kind kind = Kind::policy;
  PolicyEstimate all = {};
};
std::string_view name_of(SamplingVariant::Kind kind);

struct RegistryRate {
  std::string route;
  double rate = 1;
  Time decided = formats::kNoTime;
};
// The rates at the end of the recording.
struct RateRegistry {
  double rate = 1;                   // of routes that are not listed
  std::vector<RegistryRate> routes;  // by name
};

struct SamplingOutcome {
  std::vector<RateChange> changes;
  PolicyEstimate all;
  std::vector<PolicyEstimate> routes;  // most requests first
  std::vector<Missed> missed;          // failed ones and slow ones, the slowest first; at most the number asked for
  std::uint64_t missed_total = 0;
  std::vector<FormulaWindow> windows = {};     // by time, then by name; of a policy with a formula
  std::vector<SamplingVariant> variants = {};  // likewise
  RateRegistry registry = {};
};

enum class BreakerState : std::uint8_t { closed, open, half_open };
std::string_view name_of(BreakerState state);

struct BreakerChange {
  Time at = formats::kNoTime;
  BreakerState to = BreakerState::closed;
  std::size_t condition = SIZE_MAX;  // that opened it when it was closed
};

struct BreakerOutcome {
  std::vector<BreakerChange> changes;
  std::uint64_t requests = 0, rejected = 0;
  std::uint64_t rejected_failed = 0, rejected_unknown = 0;  // of the rejected: they failed as recorded; not known
  Duration not_closed{};                                    // open and half open
};

// One thing that a policy would have done.
struct PolicyAction {
  enum class What : std::uint8_t { fired, resolved, rate, opened, half_opened, closed };
  Time at = formats::kNoTime;
  What what = What::fired;
  std::size_t condition = SIZE_MAX;  // that fired or resolved, also as the cause of the others; SIZE_MAX: none
  std::size_t breaker = SIZE_MAX;    // of the policy's
  std::size_t firing = SIZE_MAX;     // of the outcome's: of fired and resolved
  // A rate:
  std::string route = {};  // empty: all routes alike
  double from = 0, to = 0;
  bool fires = false;                         // the condition fires; otherwise it has resolved
  std::optional<WindowFigures> figures = {};  // from which a formula has, or has not, computed `to`
};
std::string_view name_of(PolicyAction::What what);

// No more actions are kept; the others are counted.
inline constexpr std::size_t kMostActions = 200'000;

struct PolicyOutcome {
  std::string file;
  Policy policy;
  Time first = formats::kNoTime, last = formats::kNoTime;
  double weight = 1;  // how many requests each one stands for: a part of the connections is recorded; 0: not known
  std::uint64_t looks = 0;
  std::uint64_t requests = 0;   // that were judged
  std::uint64_t left_out = 0;   // of these ends and beginnings, or durations, are not known
  std::vector<Firing> firings;  // by time
  std::optional<SamplingOutcome> sampling;
  std::vector<BreakerOutcome> breakers;  // of those of the policy
  // By time. At one time: conditions, rates, breakers, each in the order of the policy; rates by the name of the route.
  std::vector<PolicyAction> actions;
  std::uint64_t actions_total = 0;
};

}  // namespace tailcap::model::policy
