// Values of columns.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace tailcap::model::columns {

enum class ColumnType : std::uint8_t {
  number,
  boolean,
  text,
  list,    // names out of a few
  nested,  // values of values: those that write them know how
};
// since_1970: a time, not a length of time.
enum class Unit : std::uint8_t { none, nanoseconds, since_1970, bytes };

using ValueNames = std::vector<std::string_view>;

// Bits that have names, from the lowest on.
struct Flags {
  std::uint32_t bits = 0;
  ValueNames (*names)(std::uint32_t bits) = nullptr;
};

// Unknown is monostate. Texts are views into the table of the row, or into the Facts that were asked.
using ColumnValue = std::variant<std::monostate, std::int64_t, bool, std::string_view, Flags>;

inline bool known(const ColumnValue& value) { return !std::holds_alternative<std::monostate>(value); }

}  // namespace tailcap::model::columns
