// Which services call which, of what an analysis found.
#pragma once

#include <vector>

#include "analyze/model/machine/service_names.h"
#include "analyze/model/study/topology.h"
#include "analyze/pipeline/pipeline.h"

namespace tailcap::views {

model::Topology topology_of(const pipeline::Analysis& analysis);
// One for each `window` of the wall clock.
std::vector<model::Topology> topologies_of(const pipeline::Analysis& analysis, formats::Duration window);
// Addresses that are a Service's get its name.
void name_addresses(model::Topology& topology, const model::ServiceNames& services);

}  // namespace tailcap::views
