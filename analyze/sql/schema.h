// The tables that SQL reads: names, columns, and what they hold. docs/query.md says the same to people; a change that
// breaks a query is a new kVersion.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tailcap::sql {

inline constexpr std::int64_t kVersion = 1;

enum class SqlType : std::uint8_t { integer, real, text };

struct SqlColumn {
  std::string_view name;
  SqlType type;
  std::string_view text;
  std::string_view same_as = {};  // another column of the table, whose value it has; rows are added without it
};

struct SqlTable {
  const char* name;
  const char* text;
  std::span<const SqlColumn> columns;
  const char* view = nullptr;  // the SQL of a view; null: a table
  bool internal = false;       // behind a view, not listed
  bool columns_listed = true;  // false: they are those of another table, as the text says
};

std::span<const SqlTable> tables();
const SqlTable* find_table(std::string_view name);  // in any case
std::string_view name_of(SqlType type);             // "INTEGER", …
std::string created_by(const SqlTable& table);      // CREATE TABLE …

}  // namespace tailcap::sql
