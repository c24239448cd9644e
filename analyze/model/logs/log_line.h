// A line of a log file that lies beside a capture, and the requests that it may belong to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

enum class LogLevel : std::uint8_t { unknown, trace, debug, info, notice, warning, error, fatal };
std::string_view name_of(LogLevel level);  // "trace", …; empty for unknown

// When a line was written, by its own words: in [at - late, at + precision), or half its precision before where it was
// rounded.
struct LogTime {
  enum class State : std::uint8_t {
    none,          // it has no time that can be read
    without_zone,  // it has one, without a zone
    known,
  };
  State state = State::none;
  std::int64_t at = 0;         // ns since 1970; without_zone: as if it were UTC
  std::int64_t precision = 0;  // ns: the unit of its last digit
  std::int64_t late = 0;       // ns: it is the time at which something read the line that a program wrote
};

struct LoggedLine {
  std::uint32_t file = 0;    // which of the files
  std::uint64_t number = 0;  // of the line, from 1; of an entry of several lines the first
  LogTime time;
  LogLevel level = LogLevel::unknown;
  std::string text;          // its message; without one all of it; as written
  std::string whole;         // all of it, where that is not the same; as written
  std::string trace_id;      // 32 hexadecimal digits in lower case; empty: none
  std::string request_id;    // empty: none
  std::string service;       // the name of a program or service; empty: none
  std::string container;     // 64 hexadecimal digits; empty: none
  std::uint32_t pid = 0;     // 0: none
  bool pid_of_host = false;  // not a number of the process's own namespace
  bool contradicts = false;  // two of its fields name different traces, requests or processes
  bool cut = false;          // it is longer than what is kept
};

// How it is known which requests a line may belong to.
enum class LogEvidence : std::uint8_t {
  none,
  trace_id,    // it names the trace of the request
  request_id,  // it names the X-Request-Id of the request
  process,     // it is of the process, and was written in the request's time
};
std::string_view name_of(LogEvidence evidence);  // "trace_id", …; empty for none

// Why there is none.
enum class LogMiss : std::uint8_t {
  none,
  no_time,          // it has no time that can be read, and no id of a request
  no_zone,          // its time has no zone, and it has no id of a request
  outside,          // it was not written during the recording
  no_process,       // it names neither a request nor a process
  unknown_process,  // its process has no recorded request
  none_under_way,   // no recorded request of its process was under way
  other_id,         // the only one under way has another id
  other_process,    // the requests that it names are of other processes
  other_time,       // the request with its id was at another time
  contradicts,      // its own fields contradict each other
};
inline constexpr std::size_t kLogMisses = 11;
std::string_view name_of(LogMiss miss);  // "no_time", …; empty for none
std::string_view text_of(LogMiss miss);  // "they have no time that can be read"

struct JoinedLine {
  static constexpr std::size_t kMostNamed = 256;

  LoggedLine line;
  LogEvidence evidence = LogEvidence::none;
  LogMiss miss = LogMiss::none;
  std::vector<ExchangeId> requests;  // 1: it belongs to this one. More: it lies in all of them; the first kMostNamed
  std::uint64_t count = 0;           // of all of them; at least, where there are very many
  Time at = kNoTime;                 // by the clock of the capture; kNoTime: it has none
  Duration within{};                 // it was written in [at, at + within)

  bool joined() const { return count == 1; }
};

// Lines of log files that are shown beside requests.
struct LogBook {
  static constexpr std::size_t kMostLines = 50'000, kMostBytes = 32u << 20;
  struct Entry {
    JoinedLine joined;
    std::string file;
  };

  std::vector<Entry> entries;     // by time; those without one first
  std::uint64_t left_out = 0;     // beyond that
  std::vector<std::string> said;  // how many lines were read, and why others are not here: sentences
};

}  // namespace tailcap::model
