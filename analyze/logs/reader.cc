#include "analyze/logs/reader.h"

#include <algorithm>
#include <string>

#include "analyze/logs/fields.h"
#include "analyze/logs/json_line.h"
#include "analyze/logs/text_line.h"

namespace tailcap::logs {
namespace {

using model::LoggedLine;
using model::LogTime;

constexpr std::size_t kMostFields = 1024;  // of an entry of journald
constexpr std::size_t kLengthBytes = 8;

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes[i]);
  return out;
}

// A program's own line came through journald or a container's runtime.
bool from_journal(std::string_view whole) { return whole.find("\"__REALTIME_TIMESTAMP\"") != whole.npos; }
bool from_docker(std::string_view whole) {
  return whole.starts_with("{\"log\":") && whole.find("\"stream\":") != whole.npos;
}

}  // namespace

LogReader::LogReader(std::string_view text, const ReadOptions& options)
    : text_(text), options_(options), journal_(text.starts_with("__CURSOR=")) {}

bool LogReader::next(LoggedLine& out) {
  if (journal_) return next_entry(out);
  while (at_ < text_.size()) {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view line = text_.substr(at_, end - at_);
    at_ = end + 1;
    ++number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (blank(line)) continue;
    out = {};
    out.number = number_;
    if (line.size() <= kLongestRead) read_line(line, out);
    finish(line, out);
    return true;
  }
  return false;
}

void LogReader::read_line(std::string_view text, LoggedLine& out) const {
  Fields fields(out);
  if (text.starts_with('{')) {
    if (read_json_line(text, fields)) {
      if (from_docker(text)) out.time.late = kReadLater;
      if (from_journal(text) || from_docker(text)) unwrap(out);
      return;
    }
    const std::uint64_t number = out.number;
    out = {};
    out.number = number;
  }
  Fields of_text(out);
  const std::string_view inner = read_text_line(text, options_.pattern, options_.near, out, of_text);
  if (inner.empty()) return;
  out.text = inner;
  out.time.late = kReadLater;
  unwrap(out);
}

// What the program itself wrote is in the text; what it says counts before what is around it.
void LogReader::unwrap(LoggedLine& out) const {
  while (!out.text.empty() && (out.text.back() == '\n' || out.text.back() == '\r')) out.text.pop_back();
  LoggedLine inner;
  const std::string text = out.text;
  if (text.size() > kLongestRead) return;
  bool read = false;
  {
    Fields fields(inner);
    read = text.starts_with('{') && read_json_line(text, fields);
  }
  if (!read) {
    inner = {};
    Fields fields(inner);
    read_text_line(text, options_.pattern, options_.near, inner, fields);
  }
  if (!inner.text.empty()) out.text = inner.text;
  // Outside, the time is that at which something read the line from a pipe, later.
  if (inner.time.state == LogTime::State::known || (inner.time.state == LogTime::State::without_zone && options_.zone))
    out.time = inner.time;
  if (inner.level != model::LogLevel::unknown) out.level = inner.level;
  if (!inner.trace_id.empty()) out.trace_id = inner.trace_id;
  if (!inner.request_id.empty()) out.request_id = inner.request_id;
  if (!inner.service.empty()) out.service = inner.service;
  if (out.pid == 0) out.pid = inner.pid;
  out.contradicts = out.contradicts || inner.contradicts;
}

void LogReader::finish(std::string_view whole, LoggedLine& out) {
  if (out.time.state == LogTime::State::without_zone && options_.zone) {
    out.time.at -= *options_.zone * 1'000'000'000;
    out.time.state = LogTime::State::known;
  }
  const auto bounded = [&](std::string_view text) {
    out.cut = out.cut || text.size() > kLongestKept;
    return std::string(text.substr(0, kLongestKept));
  };
  if (out.text.empty()) {
    out.text = bounded(whole);
  } else {
    out.text = bounded(out.text);
    if (out.text != whole) out.whole = bounded(whole);
  }
  for (std::string* id : {&out.request_id, &out.service})
    if (id->size() > Fields::kMostKey) id->clear();
  cut_ += out.cut;
}

// FIELD=value, or FIELD, eight bytes with a length, and as many bytes; an empty line ends an entry.
bool LogReader::next_entry(LoggedLine& out) {
  while (at_ < text_.size()) {
    out = {};
    out.number = ++number_;
    Fields fields(out);
    std::size_t count = 0;
    std::string whole;
    while (at_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      const std::string_view line = text_.substr(at_, end - at_);
      at_ = end + 1;
      if (line.empty()) break;
      const std::size_t equals = line.find('=');
      const std::string_view key = line.substr(0, equals);
      std::string_view value = equals == line.npos ? std::string_view() : line.substr(equals + 1);
      if (equals == line.npos) {
        if (text_.size() - std::min(at_, text_.size()) < kLengthBytes) {
          at_ = text_.size();
          break;
        }
        const std::uint64_t length = little_endian(text_.substr(at_, kLengthBytes));
        at_ += kLengthBytes;
        if (length > text_.size() - at_) {
          at_ = text_.size();
          break;
        }
        value = text_.substr(at_, static_cast<std::size_t>(length));
        at_ += static_cast<std::size_t>(length) + 1;
      }
      if (++count > kMostFields || value.size() > kLongestRead) continue;
      fields.add(key, value, false);
    }
    if (count == 0) {
      --number_;
      continue;
    }
    if (out.text.empty()) out.text = "(an entry without a message)";
    unwrap(out);
    finish(out.text, out);
    return true;
  }
  return false;
}

}  // namespace tailcap::logs
