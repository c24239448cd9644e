#include "analyze/views/topology/topology.h"

#include "analyze/tail/topology.h"

namespace tailcap::views {
namespace {

std::vector<model::EndpointTexts> end_texts(const pipeline::Analysis& analysis) {
  std::vector<model::EndpointTexts> ends;
  for (const auto& e : analysis.endpoints)
    ends.push_back({analysis.table.texts[e.local], analysis.table.texts[e.remote]});
  return ends;
}

}  // namespace

model::Topology topology_of(const pipeline::Analysis& analysis) {
  return tail::topology(analysis.table, end_texts(analysis), analysis.study);
}

std::vector<model::Topology> topologies_of(const pipeline::Analysis& analysis, formats::Duration window) {
  return tail::topologies(analysis.table, end_texts(analysis), analysis.study, window);
}

void name_addresses(model::Topology& topology, const model::ServiceNames& services) {
  for (model::TopologyNode& node : topology.nodes)
    if (node.kind == model::TopologyNode::Kind::address) node.service = services.at(node.name);
}

}  // namespace tailcap::views
