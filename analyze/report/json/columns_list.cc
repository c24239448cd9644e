#include "analyze/report/json/columns_list.h"

#include <algorithm>
#include <vector>

#include "analyze/model/columns/columns.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace {

using Listed = model::columns::RequestColumn;
using model::columns::ColumnType;
using model::columns::Surface;
using model::columns::Unit;

std::string_view type_name(ColumnType type) {
  constexpr std::string_view names[] = {"number", "boolean", "text", "list", "nested"};
  return names[static_cast<std::size_t>(type)];
}

std::string_view unit_name(Unit unit) {
  constexpr std::string_view names[] = {"", "ns", "ns since 1970", "bytes"};
  return names[static_cast<std::size_t>(unit)];
}

auto name_on(Surface surface) {
  return [surface](const Listed& c) { return OrNull{c.on(surface).name}; };
}

std::vector<std::string_view> filter_names(const Listed& column) {
  if (!column.stands_on(Surface::filter)) return {};
  std::vector<std::string_view> names{column.name, column.short_form};
  std::erase(names, "");
  return names;
}

const Shape<Listed, Anywhere>& column_shape() {
  static const Shape<Listed, Anywhere> shape{
      "column",
      {
          {"schema", [](auto&) { return kJsonSchema; }},
          {"name", &Listed::name},
          {"type", [](auto& c) { return type_name(c.type); }},
          {"unit", [](auto& c) { return OrNull{unit_name(c.unit)}; }},
          {"description", &Listed::says},
          {"values", [](auto& c) { return c.values ? std::optional(c.values()) : std::nullopt; }},
          {"object", [](auto& c) { return OrNull{c.object ? c.object->says : ""}; }},
          {"at_end", &Listed::at_end},
          {"may_be_omitted", [](auto& c) { return c.omitted != Listed::Omitted::never; }},
          {"filter", filter_names},
          {"json", name_on(Surface::json)},
          {"sql", name_on(Surface::sql)},
          {"clickhouse", name_on(Surface::clickhouse)},
          {"clickhouse_type", [](auto& c) { return OrNull{c.on(Surface::clickhouse).type}; }},
          {"clickhouse_place", [](auto& c) { return c.on(Surface::clickhouse).place; }},
          {"log_line", name_on(Surface::log_line)},
          {"har", name_on(Surface::har)},
      }};
  return shape;
}

}  // namespace

std::string columns_text() {
  std::vector<std::array<std::string, 3>> rows;
  std::size_t name_width = 0, type_width = 0;
  for (const Listed* const column : model::columns::on(Surface::filter)) {
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
  for (const Listed& column : model::columns::all()) out += json_of(column_shape(), column, Anywhere{});
  return out;
}

}  // namespace tailcap::report
