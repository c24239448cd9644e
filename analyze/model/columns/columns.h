// The columns of a request: the one list of what tailcap says about it.
//
// Filters, JSON, SQL, ClickHouse, log lines and HAR read it, and the documents and schemas of these are made of it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/columns/column.h"

namespace tailcap::model::columns {

// In the order in which JSON has them.
std::span<const RequestColumn> all();
// The columns of a surface, by place.
std::span<const RequestColumn* const> on(Surface surface);

// What is said of it, with all values that it can have.
std::string description(const RequestColumn& column);

}  // namespace tailcap::model::columns
