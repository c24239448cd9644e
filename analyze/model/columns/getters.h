// How columns are made: by kind, and values of facts that may be unknown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "analyze/model/columns/column.h"

namespace tailcap::model::columns {

using Get = Value (*)(const Facts&);

inline Value number_if(bool known, std::int64_t n) { return known ? Value{n} : Value{}; }
inline Value not_negative(std::int64_t n) { return number_if(n >= 0, n); }
inline Value not_zero(std::int64_t n) { return number_if(n != 0, n); }
inline Value boolean_if(bool known, bool b) { return known ? Value{b} : Value{}; }
inline Value text_of(const Facts& f, TextId id) { return id == 0 ? Value{} : Value{f.text(id)}; }
inline Value name_or_unknown(std::string_view name) { return name.empty() ? Value{} : Value{name}; }
inline Value made_or_unknown(const Facts& f, std::string made) {
  return made.empty() ? Value{} : Value{f.keep(std::move(made))};
}
inline Value id_of(const Facts& f, ExchangeId id) {
  if (id.connection == 0) return {};
  return f.keep(std::to_string(id.connection) + "." + std::to_string(id.index));
}

// The names of an enumeration's values, up to this one.
template <auto last>
Names names_up_to() {
  Names out;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(last); ++i)
    if (const std::string_view name = name_of(static_cast<decltype(last)>(i)); !name.empty()) out.push_back(name);
  return out;
}

constexpr Column column(std::string_view name, Type type, Unit unit, std::string_view says, Get get) {
  Column out{.name = name, .type = type, .unit = unit, .says = says, .get = get};
  for (const Surface surface : {Surface::filter, Surface::json})
    out.stands[static_cast<std::size_t>(surface)].name = name;
  return out;
}
constexpr Column text(std::string_view name, std::string_view says, Get get) {
  return column(name, Type::text, Unit::none, says, get);
}
constexpr Column number(std::string_view name, std::string_view says, Get get) {
  return column(name, Type::number, Unit::none, says, get);
}
constexpr Column boolean(std::string_view name, std::string_view says, Get get) {
  return column(name, Type::boolean, Unit::none, says, get);
}
constexpr Column duration(std::string_view name, std::string_view says, Get get) {
  return column(name, Type::number, Unit::nanoseconds, says, get);
}
constexpr Column size(std::string_view name, std::string_view says, Get get) {
  return column(name, Type::number, Unit::bytes, says, get);
}
constexpr Column list(std::string_view name, std::string_view says, Get get, Names (*values)()) {
  return column(name, Type::list, Unit::none, says, get).one_of(values);
}
constexpr Column nested(std::string_view name, std::string_view says) {
  return column(name, Type::nested, Unit::none, says, nullptr).not_on(Surface::filter);
}

}  // namespace tailcap::model::columns
