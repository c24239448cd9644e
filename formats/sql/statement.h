// What a masked statement of SQL says: as it is shown, its operation, its first table.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tailcap::formats::sql {

// The statement as it is shown: each run of '?' that stands for a literal is one '?', lists of them `(?, …)` too, white
// space and comments are one blank, nothing at either end; at most `most` bytes, cut at a character.
std::string shown_statement(std::string_view masked, std::size_t most);

// Its first word in capitals: SELECT; behind WITH, the one that it leads to. Empty: none.
std::string operation_of(std::string_view statement);
// The table of its first FROM, INTO, UPDATE, TABLE or JOIN, as it is written but for quotes. Empty: none.
std::string table_of(std::string_view statement);

}  // namespace tailcap::formats::sql
