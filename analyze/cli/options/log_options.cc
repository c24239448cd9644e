#include "analyze/cli/options/log_options.h"

#include <stdexcept>

#include "formats/printable.h"

namespace tailcap::cli {

void add_log_options(CommandLine& line, LogOptions& target) {
  line.group("With which log files?");
  line.option(option::kJoinLogs, &target.patterns);
  line.option(option::kLogZone, &target.zone);
  line.option(option::kLogTime, &target.time);
}

views::LogFiles log_files_of(const LogOptions& options) {
  if (options.patterns.empty() && !(options.zone.empty() && options.time.empty()))
    throw UsageError("--log-zone and --log-time go with --join-logs");
  views::LogFiles out{options.patterns, {}, {}};
  if (!options.zone.empty()) {
    out.zone = logs::zone_of(options.zone);
    if (!out.zone) throw UsageError("--log-zone is UTC or like +02:00, not '" + formats::printable(options.zone) + "'");
  }
  if (options.time.empty()) return out;
  try {
    out.time_form.emplace(options.time);
  } catch (const std::invalid_argument& e) {
    throw UsageError("--log-time '" + formats::printable(options.time) + "': " + formats::printable(e.what()));
  }
  return out;
}

}  // namespace tailcap::cli
