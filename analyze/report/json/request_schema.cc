#include "analyze/report/json/request_schema.h"

#include <deque>

#include "analyze/model/columns/columns.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace {

JsonType list_of(JsonType each) {
  return {.kind = JsonType::Kind::list, .or_null = true, .each = std::make_shared<JsonType>(std::move(each))};
}

// Lists of names and values.
bool of_header_fields(const model::columns::RequestColumn& column) {
  return column.type == model::columns::ColumnType::nested && column.name != "labels" && column.name != "culprits";
}

JsonType type_of(const model::columns::RequestColumn& column) {
  JsonBounds bounds;
  if (column.values) bounds.values = column.values();
  switch (column.type) {
    case model::columns::ColumnType::number:
      return {.kind = JsonType::Kind::integer, .or_null = true};
    case model::columns::ColumnType::boolean:
      return {.kind = JsonType::Kind::boolean, .or_null = true};
    case model::columns::ColumnType::text:
      return {.kind = JsonType::Kind::text, .or_null = true, .bounds = bounds};
    case model::columns::ColumnType::list:
      return list_of({.kind = JsonType::Kind::text, .bounds = bounds});
    case model::columns::ColumnType::nested:
      if (of_header_fields(column)) return list_of(shapes::type_of<std::pair<std::string, std::string>>());
      return list_of({.kind = JsonType::Kind::object,
                      .object = column.name == "labels" ? &label_description() : &culprit_description()});
  }
  return {};
}

enum class HeaderFields : bool { left_out, shown };

Description description(HeaderFields header_fields, std::deque<Description>& objects) {
  Description out{"request", {}};
  for (const model::columns::RequestColumn& column : model::columns::all()) {
    if (!column.stands_on(model::columns::Surface::json)) continue;
    const bool fields = of_header_fields(column);
    if (fields && header_fields == HeaderFields::left_out) continue;
    const bool required = !fields && column.omitted == model::columns::RequestColumn::Omitted::never;
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
}

}  // namespace

const Description& request_description() {
  static std::deque<Description> objects;
  static const Description request = description(HeaderFields::left_out, objects);
  return request;
}

const Description& request_with_headers() {
  static std::deque<Description> objects;
  static const Description request = description(HeaderFields::shown, objects);
  return request;
}

std::string requests_schema() {
  Description line = request_with_headers();
  line.members.insert(line.members.begin(),
                      {"schema", "", {.kind = JsonType::Kind::integer, .bounds = {.is = kJsonSchema}}});
  return json_schema(
      line, "a line of tailcap requests --json",
      "What the names mean is said in JSON.md. Header fields are there with --headers. Lines of --follow "
      "lack what is known only at the end of a recording. Names may be added.",
      true);
}

}  // namespace tailcap::report
