// Times as log lines write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "analyze/model/logs/log_line.h"

namespace tailcap::logs {

// All of the text: ISO 8601 with a space or T, also with slashes, RFC 3339, `28/Nov/2026:15:44:01 +0000`, or a number
// of seconds, milliseconds, microseconds or nanoseconds since 1970, which its size tells. State none: it is no time.
model::LogTime time_of(std::string_view text);
// Likewise at the beginning of the text, also in brackets, where it has a date and more than seconds since 1970.
// length: of it, with what is before and the brackets.
model::LogTime time_at_beginning(std::string_view text, std::size_t& length);
// A number since 1970, without a sign.
model::LogTime time_of_number(std::string_view digits);

// "UTC", "Z", "+02:00", "-0530": seconds east of it. Nothing: it is no zone.
std::optional<std::int64_t> zone_of(std::string_view text);

// Where the time is in lines of plain text, like '%d.%m.%Y %H:%M:%S.%f %z': %Y %m %d %b %H %M %S are fields of fixed
// width, %f digits of a fraction, %z a zone, %s seconds since 1970, %% a percent sign. A space stands for several.
class TimePattern {
 public:
  static constexpr std::size_t kMostSearched = 256;  // bytes of a line

  // Throws std::invalid_argument, what() says why: an unknown field, or no time.
  explicit TimePattern(std::string pattern);
  // Its first place in a line. Without %Y, the year is the one that makes it nearest to `near`.
  model::LogTime find(std::string_view line, std::int64_t near) const;

 private:
  std::string pattern_;
  bool year_ = false, minutes_ = false, seconds_ = false;
};

}  // namespace tailcap::logs
