#include "analyze/cli/options/moments.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <stdexcept>

#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/named_request.h"
#include "analyze/cli/options/selection.h"
#include "analyze/pipeline/question/question.h"
#include "analyze/query/literal.h"
#include "analyze/report/words/number.h"
#include "formats/printable.h"

namespace tailcap::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kDay = 86'400 * kSecond;
constexpr std::int64_t kAround = kSecond;

// "14.5s", every nanosecond.
std::string since_start(std::int64_t ns) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%lld.%09lld", static_cast<long long>(ns / kSecond),
                static_cast<long long>(ns % kSecond));
  std::string text = buffer;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + "s";
}

std::int64_t length_of(const pipeline::Replay& capture) {
  const formats::FileSummary summary = capture.summary();
  if (!formats::known(summary.first) || !formats::known(summary.last)) return 0;
  return (summary.last - summary.first).count();
}

bool is_time_of_day(const std::string& text) {
  const auto digit = [&](std::size_t at) {
    return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]));
  };
  return digit(0) && digit(1) && text.size() > 4 && text[2] == ':' && digit(3) && digit(4);
}

// On the day on which it lies in the recording, else that of its beginning.
std::string with_date(const std::string& text, const std::string& file) {
  const pipeline::Replay capture(file);
  const formats::Preamble& preamble = capture.preamble();
  if (preamble.started_realtime <= 0)
    throw UsageError(formats::printable(file) +
                     " has no reading of the wall clock. Give a time since its start, like 10s");
  const formats::FileSummary summary = capture.summary();
  const std::int64_t begin =
      preamble.started_realtime + (formats::known(summary.first) ? (summary.first - preamble.started).count() : 0);
  const auto on = [&](std::int64_t day) {
    return report::utc_text(day * kDay, 0).substr(0, sizeof "2026-03-01" - 1) + "T" + text;
  };
  const std::int64_t day = begin / kDay;
  const std::int64_t end = begin + length_of(capture);
  const bool next =
      end / kDay > day && moment_of(on(day)).nanoseconds < begin && moment_of(on(day + 1)).nanoseconds <= end;
  return on(next ? day + 1 : day);
}

std::string before_end(const std::string& text, const std::string& file) {
  const auto seconds = query::parse_number(text.substr(1));
  const auto ns =
      seconds && *seconds < kDay ? std::optional(*seconds * kSecond) : query::parse_duration(text.substr(1));
  if (!ns) throw UsageError("'" + formats::printable(text) + "' is no time before the end of the recording, like -10s");
  return since_start(std::max<std::int64_t>(0, length_of(pipeline::Replay(file)) - *ns));
}

// When a request begins and ends, in the capture's own time.
std::pair<std::int64_t, std::int64_t> span_of(const std::string& file, const std::string& name) {
  const auto id = request_named(file, name);
  formats::Time first = formats::kNoTime;
  pipeline::Question question(file);
  const auto found =
      question.ask(pipeline::LookOptions{.part = true}, [&](pipeline::Replay& replay, pipeline::LookOptions& how) {
        pipeline::AnswerOnOne out;
        first = replay.summary().first;
        out.look = pipeline::look(replay, *id, how);
        return out;
      });
  const pipeline::Look& look = found.look;
  if (!look.detail) throw std::runtime_error("there is no request " + formats::printable(name));
  const model::Request& row = look.detail->request.row;
  if (!formats::known(row.start) || !formats::known(first))
    throw std::runtime_error("it is not known when request " + formats::printable(name) + " began");
  const std::int64_t begin = (row.start - first).count();
  return {begin, begin + (row.has_duration ? row.duration.count() : 0)};
}

}  // namespace

std::string placed(const std::string& text, const std::string& file) {
  if (text.starts_with('-')) return before_end(text, file);
  return is_time_of_day(text) ? with_date(text, file) : text;
}

std::pair<std::string, std::string> around(const std::string& text, const std::string& file) {
  if (names_request(text)) {
    const auto [begin, end] = span_of(file, text);
    return {since_start(std::max<std::int64_t>(0, begin - kAround)), since_start(end + kAround)};
  }
  const pipeline::Moment moment = moment_of(placed(text, file));
  if (!moment.absolute)
    return {since_start(std::max<std::int64_t>(0, moment.nanoseconds - kAround)),
            since_start(moment.nanoseconds + kAround)};
  const auto at = [](std::int64_t ns) { return report::utc_text(ns, 9); };
  return {at(moment.nanoseconds - kAround), at(moment.nanoseconds + kAround)};
}

}  // namespace tailcap::cli
