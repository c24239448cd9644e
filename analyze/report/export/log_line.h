// A request as a line of JSON for a log store such as Loki: few fields, the time first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analyze/model/machine/container.h"
#include "analyze/model/request.h"

namespace tailcap::report {

struct LogLine {
  const model::RequestTable& table;
  const model::Request& row;
  std::int64_t start = 0;  // ns since 1970
  std::string_view trace_id, span_id, service;
  const model::Container& container;
};

void append_log_line(std::string& out, const LogLine& line);

}  // namespace tailcap::report
