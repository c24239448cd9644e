#include "analyze/report/json/column_json.h"

#include <string>
#include <vector>

namespace tailcap::report {

namespace {

struct WrittenValue {
  JsonWriter& json;
  void operator()(std::monostate) const { json.null(); }
  void operator()(std::int64_t number) const { json.number(number); }
  void operator()(bool truth) const { json.boolean(truth); }
  void operator()(std::string_view text) const { json.text(text); }
  void operator()(const model::columns::Flags& flags) const {
    json.begin_array();
    for (const std::string_view one : flags.names(flags.bits)) json.text(one);
    json.end_array();
  }
};

// With quotes and colon: many are written for each request.
const std::string& key_of(const model::columns::RequestColumn& column) {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> out;
    for (const model::columns::RequestColumn& one : model::columns::all())
      out.push_back("\"" + std::string(one.member) + "\":");
    return out;
  }();
  return keys[static_cast<std::size_t>(&column - model::columns::all().data())];
}

}  // namespace

void append_column(JsonWriter& json, const model::columns::RequestColumn& column,
                   const model::columns::ColumnFacts& facts, std::string_view name) {
  const model::columns::ColumnValue value = column.get(facts);
  if (!model::columns::known(value) &&
      (column.omitted == model::columns::RequestColumn::Omitted::unknown ||
       (facts.live && column.omitted == model::columns::RequestColumn::Omitted::live_unknown)))
    return;
  if (name.empty())
    json.quoted_key(key_of(column));
  else
    json.key(name);
  std::visit(WrittenValue{json}, value);
}

std::size_t append_object(JsonWriter& json, std::span<const model::columns::RequestColumn* const> columns,
                          const model::columns::ColumnFacts& facts) {
  const model::columns::ColumnGroup& object = *columns.front()->object;
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
