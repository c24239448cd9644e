// What the fields of a log line mean, by their names. Loggers have no common names: those of the usual ones are known.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "analyze/model/logs/log_line.h"

namespace tailcap::logs {

enum class Meaning : std::uint8_t {
  time,
  read_time,  // when journald read the line
  level,
  text,
  trace_id,
  traceparent,
  request_id,
  service,
  container,
  pid,
  host_pid,  // as the machine numbers it
  priority,  // syslog's level
};

// journald, and runtimes of containers, read a program's output this long after it was written, at most; ns. It is a
// guess on a busy machine: lines are not placed more closely.
inline constexpr std::int64_t kReadLater = 100'000'000;

// Fields of one line, given one after the other.
class Fields {
 public:
  static constexpr std::size_t kMostKey = 128;  // bytes; a longer name means nothing

  explicit Fields(model::LoggedLine& line) : line_(line) {}
  // key: with the names of the objects around it, like "trace.id", in any case. number: the value is no text.
  void add(std::string_view key, std::string_view value, bool number);
  bool has_text() const { return text_rank_ != kNoRank; }

 private:
  static constexpr std::size_t kNoRank = SIZE_MAX;

  void take_time(std::string_view value, bool read, std::size_t rank);
  void take_level(std::string_view value, bool number, bool syslog, std::size_t rank);
  void take_id(std::string& target, std::string_view value);
  void take_trace(std::string_view hex);
  void take_pid(std::string_view value, bool of_host);

  model::LoggedLine& line_;
  std::size_t time_rank_ = kNoRank, level_rank_ = kNoRank, text_rank_ = kNoRank, service_rank_ = kNoRank;
};

// What a word says: "ERROR", "warn", "E"; unknown: it is none.
model::LogLevel level_of(std::string_view word);

}  // namespace tailcap::logs
