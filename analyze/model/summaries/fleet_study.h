// The services of a fleet: which is not well, since when, and what its time is spent on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/summaries/baseline.h"
#include "analyze/model/summaries/scorecard.h"
#include "formats/summary/summary.h"

namespace tailcap::model {

enum class ServiceHealth : std::uint8_t { not_well, not_judged, well };
constexpr std::string_view name_of(ServiceHealth health) {
  constexpr std::string_view names[] = {"not_well", "not_judged", "well"};
  return names[static_cast<std::size_t>(health)];
}

// What a request spends, on average: under a label, or for the calls to another service.
struct TimeShare {
  std::string name;
  double now = 0;                // ns
  std::optional<double> before;  // of the time before; none: no request of the service is known from then
};

struct FleetRoute {
  formats::SummaryRoute route;
  formats::RouteCell now;            // of the latest time
  std::optional<double> before_p95;  // of as long a time before it
};

struct HealthPoint {
  std::int64_t from = 0;  // ns since 1970
  std::uint64_t requests = 0, judged = 0, failed = 0;
  std::optional<double> p95;  // ns
};

struct FleetService {
  std::string service;
  ServiceHealth health = ServiceHealth::not_judged;
  std::int64_t since = 0;             // it is not well, ns since 1970
  bool lasts = false;                 // until the end of what was recorded
  std::vector<OutsideBand> outside;   // of its baseline
  std::vector<std::size_t> limits;    // places in the scorecard: those whose error budget burns too fast
  std::vector<std::string> unjudged;  // what could not be judged, and why
  std::uint64_t requests = 0, judged = 0, failed = 0;  // of the latest time
  double seconds = 0;                                  // that was recorded of the latest time
  std::optional<double> p50, p95, p99;                 // ns
  // What it spends its time on since it is not well, otherwise in the latest time; most first.
  std::vector<TimeShare> labels, callees;
  std::vector<HealthPoint> course;  // by hour
};

// A capture with a link to its file.
struct FleetFile {
  formats::SummarisedCapture capture;
  std::string target;  // path or URL; empty: not known
};

struct FleetStudy {
  std::int64_t from = 0, to = 0;                         // of all windows, ns since 1970
  std::int64_t latest = 0;                               // the latest time begins here: what services are judged by
  std::int64_t window = 0;                               // ns
  std::uint64_t requests = 0, lost = 0, incomplete = 0;  // served; events; captures
  std::size_t hosts = 0;
  bool with_limits = false;
  std::string no_baseline;  // why nothing is held against a baseline; empty: it is
  BaselineStudy baseline;
  Scorecard scorecard;
  std::vector<FleetService> services;                                     // those that are not well first
  std::vector<FleetRoute> routes;                                         // served, of the latest time; the worst first
  std::vector<std::pair<formats::SummaryEdge, formats::CallCell>> edges;  // of the latest time; most calls first
  std::vector<formats::SummaryDeployment> deployments;                    // the latest first
  std::vector<FleetFile> files;                                           // the latest first
};

}  // namespace tailcap::model
