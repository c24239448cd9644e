#include "analyze/report/logs/log_json.h"

namespace tailcap::report {
namespace {

using model::LogBook;
using LogEntry = LogBook::Entry;

std::optional<std::int64_t> log_written(const LogEntry& e) {
  const model::LogTime& time = e.joined.line.time;
  return time.state == model::LogTime::State::known ? std::optional(time.at - time.late) : std::nullopt;
}

const Shape<LogEntry, Anywhere> kLogLine{
    "log_line",
    {
        {"at_ns", [](auto& e) { return log_written(e); }, "since 1970; null: it has no time, or one without a zone"},
        {"within_ns", [](auto& e) { return e.joined.within; }, "it was written in this time from then on"},
        {"file", &LogEntry::file},
        {"line", [](auto& e) { return e.joined.line.number; }, "its number in the file, from 1"},
        {"level", [](auto& e) { return std::string_view(model::name_of(e.joined.line.level)); },
         "empty: none is known"},
        {"text", [](auto& e) { return std::string_view(e.joined.line.text); }},
        {"how", [](auto& e) { return std::string_view(model::name_of(e.joined.evidence)); },
         "trace_id, request_id, process"},
        {"requests", [](auto& e) { return e.joined.count; },
         "that it may belong to; 1: it is joined; more: it lies in all of them"},
        {"among", [](auto& e) -> const std::vector<model::ExchangeId>& { return e.joined.requests; },
         "these, the first 256"},
    }};

const Shape<LogBook, Anywhere> kLogBook{
    "logs",
    {
        {"lines", kLogLine, &LogBook::entries, "that may belong to the request, by time"},
        {"left_out", &LogBook::left_out, "further lines"},
        {"said", &LogBook::said, "how many lines were read, and why others are not here"},
    }};

}  // namespace

const Shape<LogBook, Anywhere>& logs_shape() {
  static const Shape<LogBook, Anywhere> shape{
      "logs_of_request", {{"logs", kLogBook, [](auto& book) { return &book; }, "with --join-logs"}}};
  return shape;
}

}  // namespace tailcap::report
