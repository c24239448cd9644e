#include "analyze/views/export/services.h"

#include "analyze/model/columns/facts.h"
#include "analyze/model/trace/trace_identity.h"

namespace tailcap::views {

std::string_view ExportedServices::of(std::uint32_t row) {
  const model::RequestTable& table = analysis_.table;
  const model::Request request = table.rows[row];
  model::columns::ColumnFacts facts(table, request);
  pipeline::add_known(facts, analysis_);
  const auto text = [&](model::TextId id) { return id == 0 ? std::string_view() : table.texts[id]; };
  const std::string_view name = model::service_of(table, request, text(facts.local), text(facts.remote)).name;
  if (names_.contains(name)) return name;
  if (names_.size() < kMost) return *names_.insert(name).first;
  ++others_;
  return "other";
}

}  // namespace tailcap::views
