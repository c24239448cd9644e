#include "analyze/report/json/request_json.h"

#include "analyze/model/columns/columns.h"
#include "analyze/model/columns/whole_row.h"
#include "analyze/model/wire/named_requests.h"
#include "analyze/report/json/column_json.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace {

void headers(JsonWriter& json, const model::Headers* fields) {
  if (!fields) return json.null();
  json.begin_array();
  for (std::size_t i = 0; i < fields->size(); ++i) {
    json.begin_array();
    json.text((*fields)[i].name);
    json.text((*fields)[i].value);
    json.end_array();
  }
  json.end_array();
}

// The columns whose values are arrays of their own kind.
void append_nested(JsonWriter& json, const model::columns::RequestColumn& column,
                   const model::columns::ColumnFacts& facts, const RequestExtras& extras) {
  if (column.name == "labels") return append_labels(json, facts.table, facts.row);
  if (column.name == "culprits") return append_culprits(json, facts.table, facts.row);
  if (!extras.with_headers) return;
  json.key(column.name);
  headers(json, column.name == "request_headers"    ? extras.request_headers
                : column.name == "response_headers" ? extras.response_headers
                : column.name == "request_trailers" ? extras.request_trailers
                                                    : extras.response_trailers);
}

}  // namespace

void append_request(std::string& out, const model::RequestTable& table, const model::Request& row,
                    const model::WallClock& clock, const RequestExtras& extras) {
  const model::Request whole = model::whole_row(table, row);
  model::columns::ColumnFacts facts(table, whole);
  facts.clock = &clock;
  facts.local = extras.local;
  facts.remote = extras.remote;
  facts.split = extras.split;
  facts.live = extras.live;
  for (const model::ExchangeId id : {whole.id, whole.peer, whole.attempt_of}) model::name_request(id);
  if (whole.cause) model::name_request(whole.cause->parent);
  JsonWriter json(out);
  json.begin_object();
  if (extras.alone) json.field("schema", kJsonSchema);
  const auto all = model::columns::on(model::columns::Surface::json);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const model::columns::RequestColumn& column = *all[i];
    if (extras.live && column.at_end) continue;
    if (column.type == model::columns::ColumnType::nested)
      append_nested(json, column, facts, extras);
    else if (!column.object)
      append_column(json, column, facts);
    else
      i += append_object(json, all.subspan(i), facts) - 1;
  }
  json.end_object();
}

}  // namespace tailcap::report
