// How far services kept what they promise, by week.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/gate/slo.h"

namespace tailcap::model {

struct ServiceWeek {
  std::string service;
  std::int64_t week = 0;  // its Monday, ns since 1970
  double covered = 0;     // share of the week that was recorded; several recorders count up to 1
  std::size_t days = 0;   // with requests
  std::uint64_t requests = 0, judged = 0, failed = 0, client_errors = 0;
  std::optional<double> p50, p95, p99;  // ns
  std::optional<double> availability() const {
    if (judged == 0) return std::nullopt;
    return static_cast<double>(judged - failed) / static_cast<double>(judged);
  }
};

// One objective of one service, in one week or in the period of its error budget.
struct SloWeek {
  std::size_t slo = 0, objective = 0;
  std::string service;
  bool of_period = false;      // otherwise of a week
  std::int64_t from = 0;       // ns since 1970
  std::uint64_t requests = 0;  // that count
  gate::GateVerdict verdict = gate::GateVerdict::undecided;
  std::string missing;               // why it is undecided
  std::optional<double> value;       // ns, or a share
  std::optional<double> burn;        // how many times faster than allowed the error budget is used
  std::optional<double> worst_burn;  // of an hour
  std::int64_t worst_hour = 0;       // ns since 1970
  // In the period: the latest hours in a row in which the burn rate was above 1 by more than chance explains, and their
  // burn rate; 0: there are none.
  std::int64_t burning_since = 0, burning_until = 0;  // ns since 1970
  double burning = 0;
  std::optional<double> budget_left;  // of the period: a share; negative: more was used
};

struct Scorecard {
  std::vector<gate::Slo> slos;
  std::vector<ServiceWeek> weeks;  // by service and week
  std::vector<SloWeek> limits;     // by SLO, objective, service and time
};

}  // namespace tailcap::model
