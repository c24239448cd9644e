// A capture as rows of the tables of scripts/clickhouse/.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "analyze/pipeline/pipeline.h"
#include "analyze/views/export/exported.h"

namespace tailcap::views {

struct FleetTable {
  const char* name;
  std::span<const std::string_view> columns;
};
// `capture` is the last: a capture whose row is there was loaded as a whole.
std::span<const FleetTable> fleet_tables();

// A capture with all that its rows say. Throws std::runtime_error where it cannot be one of many: it has no id, or it
// is a part of a capture.
pipeline::Analysis fleet_analysis(const std::string& file, const pipeline::Options& options, Exported& out);

// Rows in the format TabSeparatedWithNames; each piece begins with the names of the columns, unless `once`. threads: as
// in Options; the rows are the same for every number.
void write_fleet_table(const FleetTable& table, const std::string& file, const pipeline::Analysis& analysis, bool once,
                       unsigned threads, const Write& write);

// One table as a file. Throws as fleet_analysis().
Exported export_fleet_table(const std::string& file, const pipeline::Options& options, std::string_view table,
                            const Write& write);

}  // namespace tailcap::views
