#include "analyze/report/json/request_schema.h"

#include <algorithm>
#include <deque>

#include "analyze/model/columns/columns.h"
#include "analyze/report/json/partition_json.h"

namespace tailcap::report {
namespace {

JsonType list_of(JsonType each) {
  return {.kind = JsonType::Kind::list, .or_null = true, .each = std::make_shared<JsonType>(std::move(each))};
}

JsonType type_of(const model::columns::Column& column) {
  Bounds bounds;
  if (column.values) bounds.values = column.values();
  switch (column.type) {
    case model::columns::Type::number:
      return {.kind = JsonType::Kind::integer, .or_null = true};
    case model::columns::Type::boolean:
      return {.kind = JsonType::Kind::boolean, .or_null = true};
    case model::columns::Type::text:
      return {.kind = JsonType::Kind::text, .or_null = true, .bounds = bounds};
    case model::columns::Type::list:
      return list_of({.kind = JsonType::Kind::text, .bounds = bounds});
    case model::columns::Type::nested:
      return list_of({.kind = JsonType::Kind::object,
                      .object = column.name == "labels" ? &label_description() : &culprit_description()});
  }
  return {};
}

// Lists of names and values.
bool header_fields(const model::columns::Column& column) {
  return column.type == model::columns::Type::nested && column.name != "labels" && column.name != "culprits";
}

}  // namespace

const Description& request_description() {
  static std::deque<Description> objects;
  static const Description request = [] {
    Description out{"request", {}};
    for (const model::columns::Column& column : model::columns::all()) {
      if (!column.stands_on(model::columns::Surface::json) || header_fields(column)) continue;
      const bool required = column.omitted == model::columns::Column::Omitted::never;
      if (!column.object) {
        out.members.push_back({column.name, column.says, type_of(column), required});
        continue;
      }
      if (objects.empty() || objects.back().name != column.object->name) {
        objects.push_back({column.object->name, {}});
        out.members.push_back({column.object->name,
                               column.object->says,
                               {.kind = JsonType::Kind::object, .or_null = true, .object = &objects.back()}});
      }
      objects.back().members.push_back({column.member, column.says, type_of(column), required});
    }
    return out;
  }();
  return request;
}

}  // namespace tailcap::report
