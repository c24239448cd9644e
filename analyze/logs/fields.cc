#include "analyze/logs/fields.h"

#include <algorithm>
#include <charconv>

#include "analyze/logs/times.h"

namespace tailcap::logs {
namespace {

using model::LogLevel;

struct Known {
  std::string_view name;
  Meaning meaning;
};

// In lower case. Where a line has several with the same meaning, the first here counts; ids must agree.
constexpr auto kKnown = std::to_array<Known>({
    {"@timestamp", Meaning::time},
    {"timestamp", Meaning::time},
    {"time", Meaning::time},
    {"ts", Meaning::time},
    {"_source_realtime_timestamp", Meaning::time},
    {"__realtime_timestamp", Meaning::read_time},
    {"datetime", Meaning::time},
    {"asctime", Meaning::time},
    {"msec", Meaning::time},
    {"t", Meaning::time},
    {"level", Meaning::level},
    {"log.level", Meaning::level},
    {"severity", Meaning::level},
    {"severitytext", Meaning::level},
    {"levelname", Meaning::level},
    {"loglevel", Meaning::level},
    {"lvl", Meaning::level},
    {"priority", Meaning::priority},
    {"message", Meaning::text},
    {"msg", Meaning::text},
    {"event", Meaning::text},
    {"log", Meaning::text},
    {"body", Meaning::text},
    {"trace_id", Meaning::trace_id},
    {"traceid", Meaning::trace_id},
    {"trace.id", Meaning::trace_id},
    {"trace-id", Meaning::trace_id},
    {"otel.trace_id", Meaning::trace_id},
    {"oteltraceid", Meaning::trace_id},
    {"context.trace_id", Meaning::trace_id},
    {"traceparent", Meaning::traceparent},
    {"request_id", Meaning::request_id},
    {"requestid", Meaning::request_id},
    {"request-id", Meaning::request_id},
    {"request.id", Meaning::request_id},
    {"req_id", Meaning::request_id},
    {"reqid", Meaning::request_id},
    {"req.id", Meaning::request_id},
    {"x_request_id", Meaning::request_id},
    {"x-request-id", Meaning::request_id},
    {"http.request.id", Meaning::request_id},
    {"service.name", Meaning::service},
    {"service", Meaning::service},
    {"service_name", Meaning::service},
    {"resource.service.name", Meaning::service},
    {"_comm", Meaning::service},
    {"container_id", Meaning::container},
    {"container.id", Meaning::container},
    {"container_id_full", Meaning::container},
    {"pid", Meaning::pid},
    {"process_id", Meaning::pid},
    {"process.pid", Meaning::pid},
    {"process", Meaning::pid},
    {"_pid", Meaning::host_pid},
});

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

bool hexadecimal(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f'); });
}

bool all_zero(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '0'; });
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

struct NamedLevel {
  std::string_view word;
  LogLevel level;
};
constexpr auto kLevels = std::to_array<NamedLevel>({
    {"trace", LogLevel::trace},      {"finest", LogLevel::trace},       {"verbose", LogLevel::trace},
    {"debug", LogLevel::debug},      {"dbug", LogLevel::debug},         {"info", LogLevel::info},
    {"information", LogLevel::info}, {"informational", LogLevel::info}, {"notice", LogLevel::notice},
    {"warn", LogLevel::warning},     {"warning", LogLevel::warning},    {"error", LogLevel::error},
    {"eror", LogLevel::error},       {"err", LogLevel::error},          {"severe", LogLevel::error},
    {"crit", LogLevel::fatal},       {"critical", LogLevel::fatal},     {"fatal", LogLevel::fatal},
    {"alert", LogLevel::fatal},      {"emerg", LogLevel::fatal},        {"emergency", LogLevel::fatal},
    {"panic", LogLevel::fatal},      {"dpanic", LogLevel::fatal},
});

// The numbers of syslog: 0 to 7.
LogLevel level_of_syslog(int n) {
  constexpr LogLevel levels[] = {LogLevel::fatal,   LogLevel::fatal,  LogLevel::fatal, LogLevel::error,
                                 LogLevel::warning, LogLevel::notice, LogLevel::info,  LogLevel::debug};
  return n >= 0 && n < 8 ? levels[n] : LogLevel::unknown;
}

// The numbers of pino and bunyan: 10 to 60.
LogLevel level_of_tens(int n) {
  constexpr LogLevel levels[] = {LogLevel::unknown, LogLevel::trace, LogLevel::debug, LogLevel::info,
                                 LogLevel::warning, LogLevel::error, LogLevel::fatal};
  return n % 10 == 0 && n > 0 && n <= 60 ? levels[n / 10] : LogLevel::unknown;
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

LogLevel level_of(std::string_view word) {
  if (word.size() > 1 && word.front() == '[' && word.back() == ']') word = word.substr(1, word.size() - 2);
  const auto found = std::ranges::find_if(kLevels, [&](const NamedLevel& l) { return same(l.word, word); });
  return found == kLevels.end() ? LogLevel::unknown : found->level;
}

void Fields::add(std::string_view key, std::string_view value, bool number) {
  if (key.size() > kMostKey || value.empty()) return;
  const auto found = std::ranges::find_if(kKnown, [&](const Known& k) { return same(k.name, key); });
  if (found == kKnown.end()) return;
  const auto rank = static_cast<std::size_t>(found - kKnown.begin());
  switch (found->meaning) {
    case Meaning::time:
    case Meaning::read_time:
      return take_time(value, found->meaning == Meaning::read_time, rank);
    case Meaning::level:
    case Meaning::priority:
      return take_level(value, number, found->meaning == Meaning::priority, rank);
    case Meaning::text:
      if (number || rank >= text_rank_) return;
      text_rank_ = rank;
      line_.text = value;
      return;
    case Meaning::trace_id:
      return take_trace(value);
    case Meaning::traceparent:
      if (value.size() >= 55 && value[2] == '-' && value[35] == '-') take_trace(value.substr(3, 32));
      return;
    case Meaning::request_id:
      return take_id(line_.request_id, value);
    case Meaning::service:
      if (number || rank >= service_rank_) return;
      service_rank_ = rank;
      line_.service = value;
      return;
    case Meaning::container:
      if (value.size() == 64 && hexadecimal(value)) take_id(line_.container, lowered(value));
      return;
    case Meaning::pid:
    case Meaning::host_pid:
      return take_pid(value, found->meaning == Meaning::host_pid);
  }
}

void Fields::take_time(std::string_view value, bool read, std::size_t rank) {
  if (rank >= time_rank_) return;
  const model::LogTime time = time_of(value);
  if (time.state == model::LogTime::State::none) return;
  time_rank_ = rank;
  line_.time = time;
  if (read) line_.time.late = kReadLater;
}

void Fields::take_level(std::string_view value, bool number, bool syslog, std::size_t rank) {
  if (rank >= level_rank_) return;
  LogLevel level = LogLevel::unknown;
  if (int n = 0; (number || syslog) && read_number(value, n))
    level = syslog ? level_of_syslog(n) : level_of_tens(n);
  else if (!number)
    level = level_of(value);
  if (level == LogLevel::unknown) return;
  level_rank_ = rank;
  line_.level = level;
}

void Fields::take_id(std::string& target, std::string_view value) {
  if (target.empty())
    target = value;
  else if (target != value)
    line_.contradicts = true;
}

void Fields::take_trace(std::string_view hex) {
  // Half an id is that of a tracer that has no longer ones: zeros are before it on the wire.
  if ((hex.size() != 32 && hex.size() != 16) || !hexadecimal(hex) || all_zero(hex)) return;
  take_id(line_.trace_id, std::string(32 - hex.size(), '0') + lowered(hex));
}

void Fields::take_pid(std::string_view value, bool of_host) {
  std::uint32_t pid = 0;
  if (!read_number(value, pid) || pid == 0) return;
  if (line_.pid_of_host && !of_host) return;  // the number of its own namespace may differ
  if (line_.pid != 0 && line_.pid != pid && line_.pid_of_host == of_host) line_.contradicts = true;
  line_.pid = pid;
  line_.pid_of_host = of_host;
}

}  // namespace tailcap::logs
