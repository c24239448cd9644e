#include "formats/summary/summary.h"

namespace tailcap::formats {

void add_cell(RouteCell& to, const RouteCell& from) {
  to.requests = saturated(to.requests, from.requests);
  to.judged = saturated(to.judged, from.judged);
  to.failed = saturated(to.failed, from.failed);
  to.client_errors = saturated(to.client_errors, from.client_errors);
  for (std::size_t i = 0; i < to.durations.size(); ++i) to.durations[i].add(from.durations[i]);
  for (const auto& [label, times] : from.labels) to.labels[label].add(times);
}

void add_cell(CallCell& to, const CallCell& from) {
  to.requests = saturated(to.requests, from.requests);
  to.failed = saturated(to.failed, from.failed);
  to.durations.add(from.durations);
}

}  // namespace tailcap::formats
