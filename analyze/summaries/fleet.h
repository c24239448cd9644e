// A fleet's services, judged by their baselines and limits.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/gate/slo.h"
#include "analyze/model/summaries/fleet_study.h"
#include "formats/summary/summary.h"

namespace tailcap::summaries {

struct FleetOptions {
  std::int64_t latest = 86'400'000'000'000;  // ns: the end of the summaries by which services are judged
  std::vector<model::gate::Slo> slos;
  // What is usual; null: it is learned from what is before the latest time.
  const formats::Summary* usual = nullptr;
  // Routes and calls of the latest time, and of as long a time before it; null: those of the summary, which may then
  // have the routes of a service as one.
  const formats::Summary* detail = nullptr;
};

// When the latest time begins, in windows from `from` to `to`: with an hour, as the steps of a baseline do.
std::int64_t latest_begins(std::int64_t from, std::int64_t to, std::int64_t latest);

// Without the targets of files. Throws std::runtime_error: steps of an hour are no multiple of the windows.
model::FleetStudy fleet_of(const formats::Summary& summary, const FleetOptions& options);

}  // namespace tailcap::summaries
