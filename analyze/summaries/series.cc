#include "analyze/summaries/series.h"

#include "analyze/model/request.h"

namespace tailcap::summaries {

using formats::RouteCell;
using formats::saturated;
using formats::Summary;
using formats::SummaryRoute;

void SeriesPoint::add(const RouteCell& cell) {
  requests = saturated(requests, cell.requests);
  judged = saturated(judged, cell.judged);
  failed = saturated(failed, cell.failed);
  client_errors = saturated(client_errors, cell.client_errors);
  for (const formats::DurationSketch& s : cell.durations) durations.add(s);
  for (const auto& [label, times] : cell.labels) labels[label] = saturated(labels[label], times.sum());
}

void SeriesPoint::add(const SeriesPoint& other) {
  covered = saturated(covered, other.covered);
  requests = saturated(requests, other.requests);
  judged = saturated(judged, other.judged);
  failed = saturated(failed, other.failed);
  client_errors = saturated(client_errors, other.client_errors);
  durations.add(other.durations);
  for (const auto& [label, ns] : other.labels) labels[label] = saturated(labels[label], ns);
}

std::int64_t step_of(std::int64_t time, std::int64_t step, std::int64_t shift) {
  const std::int64_t into = (time - shift) % step;
  return time - (into < 0 ? into + step : into);
}

Series series_of(const Summary& summary, std::int64_t step, const std::function<bool(const SummaryRoute&)>& wanted,
                 std::int64_t shift) {
  Series out;
  for (const auto& [start, window] : summary.windows) {
    SeriesPoint& point = out[step_of(start, step, shift)];
    point.covered = saturated(point.covered, window.covered);
    for (const auto& [route, cell] : window.routes)
      if (wanted(route)) point.add(cell);
  }
  return out;
}

std::map<std::string, Series> series_by_service(const Summary& summary, std::int64_t step, std::int64_t shift) {
  const std::string_view server = model::name_of(model::Role::server);
  std::map<std::string, Series> out;
  for (const auto& [start, window] : summary.windows)
    for (const auto& [route, cell] : window.routes)
      if (route.role == server && route.service != formats::kOther) out.try_emplace(route.service);
  for (auto& [service, series] : out)
    series = series_of(
        summary, step, [&](const SummaryRoute& r) { return r.role == server && r.service == service; }, shift);
  return out;
}

}  // namespace tailcap::summaries
