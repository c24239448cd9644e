// Captures by the hour in ClickHouse: tables service_hour, route_hour, call_hour and deployment, from which a fleet is
// judged.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "analyze/export/http.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/views/export/exported.h"
#include "formats/summary/summary.h"

namespace tailcap::views {

inline constexpr std::string_view kServiceHour = "service_hour", kRouteHour = "route_hour", kCallHour = "call_hour",
                                  kDeployment = "deployment";

// The columns of one of these tables; none: it is another one.
std::span<const std::string_view> hour_columns(std::string_view table);
// The rows of one of these tables, without the names of columns; `begin` is what each begins with.
std::string hour_rows(std::string_view table, const pipeline::Analysis& analysis, const std::string& begin);

// The sums of all captures that a server has as a whole, by windows of an hour: without statements, functions and
// single statuses; of times by label only their sums.
struct FleetSums {
  formats::Summary
      hours;  // of services; their routes are one, without a method and a route, unless they were asked for
  formats::Summary detail;  // routes and calls of the latest time and of as long a time before it: two windows
};
// latest: its length, ns. Throws std::runtime_error.
FleetSums fleet_sums_in(const exports::Endpoint& endpoint, std::int64_t latest, bool hours_of_routes);

}  // namespace tailcap::views
