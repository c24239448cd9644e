// Calls between services, as text, as a picture or its source, as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/study/topology.h"
#include "analyze/model/wall_clock.h"

namespace tailcap::report {

std::string text_topology(const model::Topology& topology, std::string_view title = "Calls between services");
std::string mermaid_topology(const model::Topology& topology);
std::string dot_topology(const model::Topology& topology);
std::string json_topology(const model::Topology& topology);
std::string json_topologies(const std::vector<model::Topology>& windows, const model::WallClock& clock);
std::string topology_schema();  // of both
// Stands alone as a file, and takes the colours of the report's page in it. Empty: there is nothing to draw.
// On a page, its nodes and calls have their numbers in the topology, for the page's script.
enum class TopologyPicture : std::uint8_t { alone, of_page };
std::string svg_topology(const model::Topology& topology, TopologyPicture how = TopologyPicture::alone);
std::string svg_caption(const model::Topology& topology);  // what is to be seen

}  // namespace tailcap::report
