#include "analyze/report/page/map_data.h"

#include "analyze/report/words/escape.h"

namespace tailcap::report::page {

void write_map(JsonWriter& json, const model::Topology& services, std::span<const ShownRow> rows) {
  json.key("services");
  json.begin_object();
  json.key("names");
  json.begin_array();
  for (const model::TopologyNode& node : services.nodes) json.text(printable(node.name));
  json.end_array();
  json.key("calls");
  json.begin_array();
  for (const model::TopologyCall& call : services.calls) {
    json.number(std::uint64_t{call.from});
    json.number(std::uint64_t{call.to});
  }
  json.end_array();
  json.key("of");
  json.begin_array();
  for (const ShownRow& shown : rows)
    json.number(std::uint64_t{shown.row < services.of.size() ? services.of[shown.row] : 0});
  json.end_array();
  json.end_object();
}

}  // namespace tailcap::report::page
