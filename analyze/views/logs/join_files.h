// The lines of log files beside the requests of a capture.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analyze/logs/times.h"
#include "analyze/model/logs/log_line.h"
#include "analyze/model/request.h"
#include "analyze/model/study/study.h"

namespace tailcap::views {

// What a user says of log files; without patterns there are none.
struct LogFiles {
  std::vector<std::string> patterns;           // as logs::files_of() reads them
  std::optional<std::int64_t> zone;            // of times without one: seconds east of UTC
  std::optional<logs::TimePattern> time_form;  // of lines of plain text
  bool given() const { return !patterns.empty(); }
};

struct LogCounts {
  std::uint64_t files = 0, lines = 0, joined = 0, in_several = 0;
  std::array<std::uint64_t, model::kLogMisses> misses{};
  std::uint64_t cut = 0;             // lines that are longer than what is kept
  std::uint64_t bytes_left_out = 0;  // of files that are larger than what is read
  std::uint64_t lines_left_out = 0;  // beyond the number that is read; at least
};

inline constexpr std::uint64_t kMostLogLines = 5'000'000;

// Gives each line with what it is joined with, and the name of its file, in the order of the files. Throws
// std::runtime_error: a pattern matches nothing, a file cannot be read, or the capture has no reading of the wall
// clock.
using TakeLine = std::function<void(const model::JoinedLine&, const std::string& file)>;
LogCounts join_logs(const LogFiles& files, const model::RequestTable& table, const model::Study& study,
                    const TakeLine& take);

// The lines that may belong to requests that are wanted, by time.
model::LogBook log_book(const LogFiles& files, const model::RequestTable& table, const model::Study& study,
                        const std::function<bool(model::ExchangeId)>& wanted);

// "12,345 lines of 2 log files: 12,000 joined with a request, …", and what limits them: a sentence for each.
std::vector<std::string> sentences_of(const LogCounts& counts);

}  // namespace tailcap::views
