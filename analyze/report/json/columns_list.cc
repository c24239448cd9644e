#include "analyze/report/json/columns_list.h"

#include <algorithm>
#include <vector>

#include "analyze/model/columns/columns.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace {

using model::columns::Surface;
using model::columns::Type;
using model::columns::Unit;

std::string_view type_name(Type type) {
  constexpr std::string_view names[] = {"number", "boolean", "text", "list", "nested"};
  return names[static_cast<std::size_t>(type)];
}

std::string_view unit_name(Unit unit) {
  constexpr std::string_view names[] = {"", "ns", "ns since 1970", "bytes"};
  return names[static_cast<std::size_t>(unit)];
}

void name_on(JsonWriter& json, const model::columns::Column& column, const char* key, Surface surface) {
  json.key(key);
  json.text_or_null(column.on(surface).name);
}

void append(JsonWriter& json, const model::columns::Column& column) {
  json.begin_object();
  json.field("schema", kJsonSchema);
  json.field("name", column.name);
  json.field("type", type_name(column.type));
  json.key("unit");
  json.text_or_null(unit_name(column.unit));
  json.field("description", column.says);
  json.key("values");
  if (column.values) {
    json.begin_array();
    for (const std::string_view value : column.values()) json.text(value);
    json.end_array();
  } else {
    json.null();
  }
  json.key("object");
  json.text_or_null(column.object ? column.object->says : std::string_view{});
  json.field("at_end", column.at_end);
  json.field("may_be_omitted", column.omitted != model::columns::Column::Omitted::never);
  json.key("filter");
  json.begin_array();
  if (column.stands_on(Surface::filter))
    for (const std::string_view name : {column.name, column.short_form})
      if (!name.empty()) json.text(name);
  json.end_array();
  name_on(json, column, "json", Surface::json);
  name_on(json, column, "sql", Surface::sql);
  name_on(json, column, "clickhouse", Surface::clickhouse);
  json.key("clickhouse_type");
  json.text_or_null(column.on(Surface::clickhouse).type);
  json.field("clickhouse_place", std::int64_t{column.on(Surface::clickhouse).place});
  name_on(json, column, "log_line", Surface::log_line);
  name_on(json, column, "har", Surface::har);
  json.end_object();
}

}  // namespace

std::string columns_text() {
  std::vector<std::array<std::string, 3>> rows;
  std::size_t name_width = 0, type_width = 0;
  for (const model::columns::Column* const column : model::columns::on(Surface::filter)) {
    std::string name(column->short_form.empty() ? column->name : column->short_form);
    if (!column->short_form.empty()) name += " (" + std::string(column->name) + ")";
    std::string type(type_name(column->type));
    if (column->unit != Unit::none) type += ", " + std::string(unit_name(column->unit));
    name_width = std::max(name_width, name.size());
    type_width = std::max(type_width, type.size());
    rows.push_back({std::move(name), std::move(type), description(*column)});
  }
  std::string out;
  for (auto& [name, type, says] : rows) {
    name.resize(name_width + 2, ' ');
    type.resize(type_width + 2, ' ');
    out += name + type + says + "\n";
  }
  return out;
}

std::string columns_json() {
  std::string out;
  for (const model::columns::Column& column : model::columns::all()) {
    JsonWriter json(out);
    append(json, column);
    out += '\n';
  }
  return out;
}

}  // namespace tailcap::report
