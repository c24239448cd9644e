#include "analyze/views/fleet/request_rows.h"

#include <algorithm>
#include <optional>
#include <variant>
#include <vector>

#include "analyze/model/columns/label_times.h"
#include "analyze/model/columns/whole_row.h"
#include "analyze/tail/rows/routes.h"
#include "analyze/tail/rows/standing.h"

namespace tailcap::views {

namespace columns = model::columns;

namespace {

spans::Identities own_identities(const model::RequestTable& table) {
  std::vector<spans::ForeignSpan> none;
  return spans::identities_of(table, none);
}

}  // namespace

CountedRoute CountedRoutes::of(std::uint32_t row) const {
  const tail::RouteKey key = keys_.of(row);
  const auto& [method, route, role, service] = key;
  if (keys_.folded(key))
    for (const model::RouteStudy& r : analysis_.study.routes)
      if (r.role == role && r.route == tail::kOtherRoute) return of(r);
  const model::TextPool& texts = analysis_.table.texts;
  return {texts[service], texts[method], texts[route], role};
}

RequestRows::RequestRows(const pipeline::Analysis& analysis, const CountedRoutes& routes)
    : analysis_(analysis), routes_(routes), identities_(own_identities(analysis.table)) {}

void RequestRows::put(std::uint32_t i, exports::TabSeparated& out) const {
  const model::RequestTable& table = analysis_.table;
  const model::Request row = model::whole_row(table, i);
  const spans::Identity& identity = identities_.rows[i];
  const columns::Traced traced{identity.context, identity.trace_source, identity.span_source};
  const CountedRoute counted = routes_.of(i);
  columns::ColumnFacts facts(table, row);
  pipeline::add_known(facts, analysis_);
  facts.traced = &traced;
  facts.counted = {counted.service, counted.method, counted.route};
  facts.standing = name_of(tail::standing_of(row));
  for (const columns::RequestColumn* const column : columns::on(columns::Surface::clickhouse))
    if (column->type == columns::ColumnType::nested)
      put_labels(row.id, out);
    else
      put(*column, column->get(facts), out);
}

// Where a type has no NULL, unknown is the empty text.
void RequestRows::put(const columns::RequestColumn& column, const columns::ColumnValue& value,
                      exports::TabSeparated& out) {
  if (const auto* const number = std::get_if<std::int64_t>(&value))
    out.integer(*number);
  else if (const auto* const text = std::get_if<std::string_view>(&value))
    out.text(*text);
  else if (const auto* const truth = std::get_if<bool>(&value))
    out.natural(*truth);
  else if (const auto* const flags = std::get_if<columns::Flags>(&value))
    out.texts(flags->names(flags->bits));
  else if (column.type == columns::ColumnType::text)
    out.text("");
  else
    out.null();
}

void RequestRows::put_labels(model::ExchangeId id, exports::TabSeparated& out) const {
  boost::container::small_vector<std::string_view, 8> names;
  boost::container::small_vector<std::int64_t, 8> times;
  for (const auto& [label, ns] : columns::label_times(analysis_.table.partitions.parts(id))) {
    names.push_back(model::name_of(label));
    times.push_back(ns);
  }
  out.texts({names.data(), names.size()});
  out.integers({times.data(), times.size()});
}

}  // namespace tailcap::views
