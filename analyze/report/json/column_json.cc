#include "analyze/report/json/column_json.h"

namespace tailcap::report {

using model::columns::Column;

void append_column(JsonWriter& json, const Column& column, const model::columns::Facts& facts, std::string_view name) {
  const model::columns::Value value = column.get(facts);
  if (!model::columns::known(value) &&
      (column.omitted == Column::Omitted::unknown || (facts.live && column.omitted == Column::Omitted::live_unknown)))
    return;
  json.key(name.empty() ? column.member : name);
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    json.number(*number);
  } else if (const auto* const text = std::get_if<std::string_view>(&value)) {
    json.text(*text);
  } else if (const auto* const truth = std::get_if<bool>(&value)) {
    json.boolean(*truth);
  } else if (const auto* const flags = std::get_if<model::columns::Flags>(&value)) {
    json.begin_array();
    for (const std::string_view one : flags->names(flags->bits)) json.text(one);
    json.end_array();
  } else {
    json.null();
  }
}

std::size_t append_object(JsonWriter& json, std::span<const Column* const> columns,
                          const model::columns::Facts& facts) {
  const model::columns::Group& object = *columns.front()->object;
  const bool there = object.there(facts);
  json.key(object.name);
  if (there)
    json.begin_object();
  else
    json.null();
  std::size_t n = 0;
  for (; n < columns.size() && columns[n]->object == &object; ++n)
    if (there) append_column(json, *columns[n], facts);
  if (there) json.end_object();
  return n;
}

}  // namespace tailcap::report
