#pragma once

#include <cstddef>

#include "analyze/model/request.h"

namespace tailcap::model {

// A row with what the table keeps beside it: setup, cause, handler, account. The table must outlive it.
inline Request whole_row(const RequestTable& table, const Request& row) {
  Request out = row;
  out.setup = table.setups.find(row.id);
  out.cause = table.causes.find(row.id);
  out.handler = table.handlers.find(row.id);
  out.account = &table.partitions;
  return out;
}
inline Request whole_row(const RequestTable& table, std::size_t row) { return whole_row(table, table.rows[row]); }

}  // namespace tailcap::model
