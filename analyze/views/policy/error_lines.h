// Lines of log files that say that something failed, for conditions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/views/logs/join_files.h"

namespace tailcap::policy {

// A line of level error or fatal.
struct ErrorLine {
  formats::Time at = formats::kNoTime;
  std::optional<std::uint32_t> row;  // of the table: the request that it is joined with
};

struct ErrorLines {
  std::vector<ErrorLine> lines;    // by time
  std::uint64_t without_time = 0;  // that count in no window
  views::LogCounts counts;         // of all lines
};

// Throws like views::join_logs().
ErrorLines error_lines_of(const views::LogFiles& files, const model::RequestTable& table, const model::Study& study);

}  // namespace tailcap::policy
