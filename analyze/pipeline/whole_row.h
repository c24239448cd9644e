#pragma once

#include <cstddef>

#include "analyze/model/request.h"

namespace tailcap::pipeline {

// A row with what the table keeps beside it: setup, cause, handler, account. The table must outlive it.
inline model::Request whole_row(const model::RequestTable& table, std::size_t row) {
  model::Request out = table.rows[row];
  out.setup = table.setups.find(out.id);
  out.cause = table.causes.find(out.id);
  out.handler = table.handlers.find(out.id);
  out.account = &table.partitions;
  return out;
}

}  // namespace tailcap::pipeline
