// Loads a capture into ClickHouse.
#pragma once

#include <string>

#include "analyze/export/http.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/views/export/exported.h"

namespace tailcap::views {

// Into the tables of scripts/clickhouse/. The row in `capture` comes last; before it is there, reports leave the
// capture out. What was loaded before is replaced, so a load that failed is simply repeated. Throws std::runtime_error.
Exported load_fleet(const std::string& file, const pipeline::Options& options, const exports::Endpoint& endpoint);

}  // namespace tailcap::views
