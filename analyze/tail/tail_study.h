// Why the slowest requests of a route are slow: cohorts, differences, intervals, verdict.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/tail/rows/durations.h"
#include "analyze/tail/slow/links.h"

namespace tailcap::tail {

// Quantiles between which requests are one band.
inline constexpr std::array<double, 5> kBandEdges = {0, 0.5, 0.9, 0.99, 1};

// Facts about the route besides its rows.
struct RouteFacts {
  double correlation = 1;  // autocorrelation time, in requests
  const model::Quantile* p95 = nullptr;
  const model::Quantile* p99 = nullptr;
  const WithoutEnd* without_end = nullptr;  // requests that have no account
  bool mixed = false;                       // made of different methods and paths
  bool sampled = false;                     // not all connections are recorded
};

// rows: the route's, in order of start. Unset: none of them has a partition.
std::optional<model::TailStudy> study_tail(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                                           const model::Study& study, const slow::Links& links,
                                           const RouteFacts& facts);

}  // namespace tailcap::tail
