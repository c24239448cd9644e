// The columns of the table `request`, from the columns of a request (model/columns).
#pragma once

#include <span>

#include "analyze/sql/schema.h"

namespace tailcap::sql {

std::span<const SqlColumn> request_columns();

}  // namespace tailcap::sql
