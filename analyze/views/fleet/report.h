// A report about the captures that a ClickHouse server has.
#pragma once

#include <string>

#include "analyze/export/http.h"
#include "analyze/report/fleet/fleet.h"

namespace tailcap::views {

// The captures that were loaded as a whole. most_routes: whose percentiles are computed. Throws std::runtime_error.
report::Fleet fleet_of(const exports::Endpoint& endpoint, std::size_t most_routes);

}  // namespace tailcap::views
