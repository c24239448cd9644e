// Which log files are joined with requests, and how their times are read.
#pragma once

#include <string>
#include <vector>

#include "analyze/cli/options/command_line.h"
#include "analyze/views/logs/join_files.h"

namespace tailcap::cli {

struct LogOptions {
  std::vector<std::string> patterns;
  std::string zone, time;
};

void add_log_options(CommandLine& line, LogOptions& target);
// Throws UsageError.
views::LogFiles log_files_of(const LogOptions& options);

}  // namespace tailcap::cli
