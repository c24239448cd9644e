// The map of services as the script of a page reads it: which requests each of its calls stands for.
#pragma once

#include <span>

#include "analyze/model/study/topology.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/page/shown_rows.h"

namespace tailcap::report::page {

// "services": names of nodes; calls, from and to of each; of, for each request the number of its call, from 1; 0: none.
void write_map(JsonWriter& json, const model::Topology& services, std::span<const ShownRow> rows);

}  // namespace tailcap::report::page
