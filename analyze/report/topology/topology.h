// Calls between services, as text, as a picture or its source, as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/flow/topology.h"
#include "analyze/flow/wall_clock.h"

namespace tailcap::report {

std::string text_topology(const flow::Topology& topology, std::string_view title = "Calls between services");
std::string mermaid_topology(const flow::Topology& topology);
std::string dot_topology(const flow::Topology& topology);
std::string json_topology(const flow::Topology& topology);
std::string json_topologies(const std::vector<flow::Topology>& windows, const flow::WallClock& clock);
// Stands alone as a file, and takes the colours of the report's page in it. Empty: there is nothing to draw.
std::string svg_topology(const flow::Topology& topology);
std::string svg_caption(const flow::Topology& topology);  // what is to be seen

}  // namespace tailcap::report
