// Columns of a request as members of a JSON object.
#pragma once

#include <cstddef>
#include <span>

#include "analyze/model/columns/columns.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

// Name and value of one that is not nested; nothing where the column is omitted. `name`: as the surface has it; empty:
// that of JSON.
void append_column(JsonWriter& json, const model::columns::RequestColumn& column,
                   const model::columns::ColumnFacts& facts, std::string_view name = {});

// The object of which the first of these is a member, or null. Returns how many of them are its members.
std::size_t append_object(JsonWriter& json, std::span<const model::columns::RequestColumn* const> columns,
                          const model::columns::ColumnFacts& facts);

}  // namespace tailcap::report
