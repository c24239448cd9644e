// Live controls of a tracing system as a person writes them: conditions, sampling, circuit breakers. docs/policy.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/gate/metric.h"
#include "analyze/model/policy/formula.h"
#include "formats/time.h"

namespace tailcap::model::policy {

using formats::Duration;

// A bound of one number that is measured over a window.
struct Limit {
  enum class Of : std::uint8_t {
    metric,      // gate::Metric: percentiles, mean, errors, client_errors, labels
    share,       // of the requests of the route, those that match `where`
    count,       // requests that match
    rate,        // of them per second
    log_errors,  // lines of log files of level error or fatal; with a route or `where`, those of such requests
  };
  Of of = Of::metric;
  gate::Metric metric = {};
  bool of_time = false;   // label: a share of the time; otherwise ns per request
  bool least = true;      // it holds from the value on; otherwise up to it
  double value = 0;       // ns, a share, a number
  std::string text = {};  // as written: "200ms"

  bool of_lines() const { return of == Of::log_errors; }
  bool is_label() const { return of == Of::metric && metric.kind == gate::Metric::Kind::label; }
};
std::string_view name_of(const Limit& limit);  // "p95", "rate", "lock.futex"

struct PolicyCondition {
  std::string name;
  std::string route;               // "POST /pay", "/api/*"; empty and "*": every route
  std::vector<std::string> where;  // expressions of --where; all must match
  std::vector<Limit> limits;       // all must hold
  Duration over{};                 // the window
  Duration hold{};                 // how long, at every look
};

inline bool asks_for_lines(const PolicyCondition& condition) {
  for (const Limit& limit : condition.limits)
    if (limit.of_lines()) return true;
  return false;
}

// The rate of some requests while a condition holds.
struct Adaptation {
  std::size_t when = 0;  // a condition
  std::string route;
  double rate = 1;
};

// The rate of one route, as a registry has it.
struct ListedRate {
  std::string route;  // exactly, not a pattern: "GET /pay"
  double rate = 1;
  std::string decided;  // when, in UTC: "2026-03-01T12:34:56Z"; empty: not known
};

// As many as a file of policies may list.
inline constexpr std::size_t kMostListedRates = 10'000;

struct PolicySampling {
  enum class Key : std::uint8_t { trace_id, request_id };
  Key key = Key::trace_id;
  double rate = 1;                     // where nothing below decides
  std::optional<RateFormula> formula;  // of each route
  std::vector<ListedRate> routes;      // never beside a formula
  std::vector<Adaptation> adapt;       // the first that applies; before formula and routes
  std::string keep;                    // an expression of --where: kept in any case; empty: none
};

struct Breaker {
  std::string name, route;
  std::vector<std::size_t> open;  // conditions; one is enough
  Duration open_for{};
  std::size_t probes = 1;      // requests that pass when it is half open
  std::vector<Limit> resolve;  // it closes where all of them hold for the probes
};

struct Policy {
  Duration every{};
  std::vector<PolicyCondition> conditions;
  std::optional<PolicySampling> sampling;
  std::vector<Breaker> breakers;
  std::string not_live;     // what cannot be applied while it records, with its place and the reason; empty: nothing
  std::string not_watched;  // what a live watch cannot do, with its place: "7:1: sampling"; empty: nothing
};

// How many values are needed for a percentile: fewer do not reach beyond it.
std::size_t least_for(const Limit& limit);

}  // namespace tailcap::model::policy
