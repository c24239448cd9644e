#pragma once

#include <cstddef>

#include "analyze/model/request.h"

namespace tailcap::model {

// A row with what the table keeps beside it: setup, cause, handler, account. The table must outlive it.
inline Request whole_row(const RequestTable& table, Request row) {
  row.setup = table.setups.find(row.id);
  row.cause = table.causes.find(row.id);
  row.handler = table.handlers.find(row.id);
  row.account = &table.partitions;
  return row;
}
inline Request whole_row(const RequestTable& table, std::size_t row) { return whole_row(table, table.rows[row]); }

}  // namespace tailcap::model
