#include "analyze/views/fleet/load.h"

#include "analyze/export/tab_separated.h"
#include "analyze/views/fleet/tables.h"

namespace tailcap::views {
namespace {

// insert_distributed_sync: an answer means that the rows are on the server that keeps them.
std::string path_of(const std::string& query) {
  return "/?database=tailcap&insert_distributed_sync=1&wait_end_of_query=1&query=" +
         exports::HttpSender::percent_encoded(query);
}

// The states of which percentiles are merged, made by the servers of the rows that they have.
std::string states_of(const std::string& capture_id) {
  return "INSERT INTO route_state SELECT capture_id, day, service, role, method, route, "
         "quantilesExactState(0.5, 0.9, 0.95, 0.99, 0.999)(assumeNotNull(duration_ns)), count() FROM request FINAL "
         "WHERE capture_id = " +
         exports::sql_quoted(capture_id) +
         " AND standing = 'clean' GROUP BY capture_id, day, service, role, method, route";
}

}  // namespace

Exported load_fleet(const std::string& file, const pipeline::Options& options, const exports::Endpoint& endpoint) {
  Exported out;
  exports::HttpSender server(endpoint);
  const pipeline::Analysis analysis = fleet_analysis(file, options, out);
  for (const FleetTable& table : fleet_tables()) {
    if (std::string_view(table.name) == "capture")
      server.post(states_of(analysis.study.quality.preamble.capture_id), "text/plain",
                  "/?database=tailcap&insert_distributed_sync=1&wait_end_of_query=1");
    const std::string path = path_of(std::string("INSERT INTO ") + table.name + " FORMAT TabSeparatedWithNames");
    write_fleet_table(table, file, analysis, false, options.threads,
                      [&](std::string_view piece) { server.post(piece, "text/tab-separated-values", path); });
  }
  return out;
}

}  // namespace tailcap::views
