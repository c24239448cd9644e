// A request as a line of JSON for a log store such as Loki: few fields, the time first.
#pragma once

#include <cstdint>
#include <string>

#include "analyze/model/columns/facts.h"
#include "analyze/model/machine/container.h"

namespace tailcap::report {

struct LogLine {
  const model::columns::ColumnFacts& facts;
  std::int64_t start = 0;  // ns since 1970
  const model::Container& container;
};

void append_log_line(std::string& out, const LogLine& line);

}  // namespace tailcap::report
