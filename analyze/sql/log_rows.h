// Lines of log files as rows.
#pragma once

#include <string>

#include "analyze/model/logs/log_line.h"
#include "analyze/sql/database.h"

namespace tailcap::sql {

class LogRows {
 public:
  explicit LogRows(Database& database) : row_(database, "log") {}
  void add(const model::JoinedLine& joined, const std::string& file);

 private:
  Inserter row_;
};

}  // namespace tailcap::sql
