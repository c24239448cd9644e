// The windows of a summary as a series of longer steps: what baselines, scorecards and their tests read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "formats/summary/summary.h"

namespace tailcap::summaries {

struct SeriesPoint {
  std::uint64_t covered = 0;  // ns that captures recorded
  std::uint64_t requests = 0, judged = 0, failed = 0, client_errors = 0;
  formats::DurationSketch durations;
  std::map<std::string, std::uint64_t> labels;  // ns

  void add(const formats::RouteCell& cell);
  void add(const SeriesPoint& other);
};
// By the beginning of each step, a multiple of its length since 1970 plus `shift`.
using Series = std::map<std::int64_t, SeriesPoint>;

// The beginning of the step that this time is in.
std::int64_t step_of(std::int64_t time, std::int64_t step, std::int64_t shift = 0);

// The routes that are wanted. Steps without any of them, but with windows, have no requests.
Series series_of(const formats::Summary& summary, std::int64_t step,
                 const std::function<bool(const formats::SummaryRoute&)>& wanted, std::int64_t shift = 0);

// Served requests, for each service that has any.
std::map<std::string, Series> series_by_service(const formats::Summary& summary, std::int64_t step,
                                                std::int64_t shift = 0);

}  // namespace tailcap::summaries
