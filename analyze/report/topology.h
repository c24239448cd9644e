// Who calls whom, as text, as a picture's source, as JSON.
#pragma once

#include <string>

#include "analyze/flow/topology.h"

namespace tailcap::report {

std::string text_topology(const flow::Topology& topology);
std::string mermaid_topology(const flow::Topology& topology);
std::string dot_topology(const flow::Topology& topology);
std::string json_topology(const flow::Topology& topology);

}  // namespace tailcap::report
