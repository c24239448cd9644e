// The lines of a log file, whatever its format: JSON, logfmt, plain text, journald's export format and JSON, and what
// runtimes of containers write around these.
//
// A file is hostile: every length is bounded, and each byte is looked at a few times at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "analyze/logs/times.h"
#include "analyze/model/logs/log_line.h"

namespace tailcap::logs {

inline constexpr std::size_t kLongestRead = 1u << 20;   // bytes of a line; a longer one is text without fields
inline constexpr std::size_t kLongestKept = 16u << 10;  // of a line's text

struct ReadOptions {
  std::optional<std::int64_t> zone;      // of times without one: seconds east of UTC
  const TimePattern* pattern = nullptr;  // of plain text; must outlive the reader
  std::int64_t near = 0;                 // ns since 1970: times without a year are near it
};

class LogReader {
 public:
  // The text must outlive this.
  LogReader(std::string_view text, const ReadOptions& options);
  // False: there are no more. Lines of nothing but space are passed over.
  bool next(model::LoggedLine& out);
  std::uint64_t cut() const { return cut_; }  // lines that are longer than what is kept

 private:
  bool next_entry(model::LoggedLine& out);
  void read_line(std::string_view text, model::LoggedLine& out) const;
  void unwrap(model::LoggedLine& out) const;
  void finish(std::string_view whole, model::LoggedLine& out);

  std::string_view text_;
  const ReadOptions options_;
  std::size_t at_ = 0;
  std::uint64_t number_ = 0, cut_ = 0;
  bool journal_ = false;
};

}  // namespace tailcap::logs
