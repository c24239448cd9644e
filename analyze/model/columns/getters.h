// How columns are made: by kind, and values of facts that may be unknown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "analyze/model/columns/column.h"

namespace tailcap::model::columns {

using Get = ColumnValue (*)(const ColumnFacts&);

inline ColumnValue number_if(bool known, std::int64_t n) { return known ? ColumnValue{n} : ColumnValue{}; }
inline ColumnValue not_negative(std::int64_t n) { return number_if(n >= 0, n); }
inline ColumnValue not_zero(std::int64_t n) { return number_if(n != 0, n); }
inline ColumnValue boolean_if(bool known, bool b) { return known ? ColumnValue{b} : ColumnValue{}; }
inline ColumnValue text_of(const ColumnFacts& f, TextId id) {
  return id == 0 ? ColumnValue{} : ColumnValue{f.text(id)};
}
inline ColumnValue name_or_unknown(std::string_view name) { return name.empty() ? ColumnValue{} : ColumnValue{name}; }
inline ColumnValue made_or_unknown(const ColumnFacts& f, std::string made) {
  return made.empty() ? ColumnValue{} : ColumnValue{f.keep(std::move(made))};
}
inline ColumnValue id_of(const ColumnFacts& f, ExchangeId id) {
  if (id.connection == 0) return {};
  return f.keep(std::to_string(id.connection) + "." + std::to_string(id.index));
}

// The names of an enumeration's values, up to this one.
template <auto last>
ValueNames names_up_to() {
  ValueNames out;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(last); ++i)
    if (const std::string_view name = name_of(static_cast<decltype(last)>(i)); !name.empty()) out.push_back(name);
  return out;
}

constexpr RequestColumn column(std::string_view name, ColumnType type, Unit unit, std::string_view says, Get get) {
  RequestColumn out{.name = name, .type = type, .unit = unit, .says = says, .get = get};
  for (const Surface surface : {Surface::filter, Surface::json})
    out.stands[static_cast<std::size_t>(surface)].name = name;
  return out;
}
constexpr RequestColumn text(std::string_view name, std::string_view says, Get get) {
  return column(name, ColumnType::text, Unit::none, says, get);
}
constexpr RequestColumn number(std::string_view name, std::string_view says, Get get) {
  return column(name, ColumnType::number, Unit::none, says, get);
}
constexpr RequestColumn boolean(std::string_view name, std::string_view says, Get get) {
  return column(name, ColumnType::boolean, Unit::none, says, get);
}
constexpr RequestColumn duration(std::string_view name, std::string_view says, Get get) {
  return column(name, ColumnType::number, Unit::nanoseconds, says, get);
}
constexpr RequestColumn size(std::string_view name, std::string_view says, Get get) {
  return column(name, ColumnType::number, Unit::bytes, says, get);
}
constexpr RequestColumn list(std::string_view name, std::string_view says, Get get, ValueNames (*values)()) {
  return column(name, ColumnType::list, Unit::none, says, get).one_of(values);
}
constexpr RequestColumn nested(std::string_view name, std::string_view says) {
  return column(name, ColumnType::nested, Unit::none, says, nullptr).not_on(Surface::filter);
}

}  // namespace tailcap::model::columns
