#include "analyze/export/metric_series.h"

#include <algorithm>

namespace tailcap::exports {
namespace {

using model::Request;

}  // namespace

std::string_view exported_method(std::string_view method) {
  constexpr std::array<std::string_view, 9> kMethods = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  if (method.empty()) return "unknown";
  return std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end() ? "_OTHER" : method;
}

std::map<SeriesKey, MetricSeries> series_of(const Metrics& m) {
  std::map<SeriesKey, MetricSeries> out;
  for (const Measured& one : m.requests) {
    const Request row = m.table.rows[one.row];
    const std::string_view route = m.table.texts[row.route];
    MetricSeries& s = out[{one.service, model::name_of(row.role), exported_method(m.table.texts[row.method]),
                           route.empty() ? "unknown" : route}];
    ++s.outcomes[model::name_of(row.outcome)];
    const bool broke_off = model::broke_off(row) && row.at_least >= 0;
    if (!row.has_duration && !broke_off) {
      ++s.unknown;
      continue;
    }
    const std::int64_t duration = broke_off ? row.at_least : row.duration.count();
    const auto bucket = static_cast<std::size_t>(
        std::find_if(kBounds.begin(), kBounds.end(), [&](const auto& b) { return duration <= b.first; }) -
        kBounds.begin());
    ++s.counts[bucket];
    s.durations.add(duration);
    if (duration > s.exemplars[bucket].duration) s.exemplars[bucket] = {duration, one};
    for (const model::AccountPart& part : m.table.partitions.parts(row.id)) s.labels[part.label] += part.time;
  }
  return out;
}

}  // namespace tailcap::exports
