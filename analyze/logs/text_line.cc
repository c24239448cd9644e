#include "analyze/logs/text_line.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace tailcap::logs {
namespace {

constexpr std::size_t kMostPairs = 256;
constexpr std::size_t kWordsBeforeLevel = 8;

bool key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '@';
}

std::string_view without_spaces(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == text.npos ? std::string_view() : text.substr(begin);
}

// The value behind `=`, without its quotes; at: behind it.
std::string value_at(std::string_view text, std::size_t& at) {
  std::string out;
  if (at < text.size() && text[at] == '"') {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) {
        ++at;
        out += text[at] == 'n' ? '\n' : text[at] == 't' ? '\t' : text[at];
      } else {
        out += text[at];
      }
    }
    if (at < text.size()) ++at;
    return out;
  }
  const std::size_t end = std::min(text.find_first_of(" \t,;)]", at), text.size());
  out = text.substr(at, end - at);
  at = end;
  return out;
}

bool names_request(std::string_view key) {
  constexpr auto kIds = std::to_array<std::string_view>(
      {"trace_id", "traceid", "trace.id", "traceparent", "request_id", "requestid", "req_id", "x-request-id"});
  return std::ranges::any_of(kIds, [&](std::string_view id) {
    return std::ranges::equal(id, key, {}, {},
                              [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  });
}

// `key=value` wherever it stands.
void read_pairs(std::string_view text, bool only_ids, Fields& fields) {
  std::size_t pairs = 0;
  for (std::size_t at = 0; at < text.size() && pairs < kMostPairs;) {
    std::size_t end = at;
    while (end < text.size() && key_character(text[end])) ++end;
    if (end == at || end == text.size() || text[end] != '=') {
      // A quoted text holds no pairs of the line.
      if (end < text.size() && text[end] == '"') {
        const std::size_t close = text.find('"', end + 1);
        if (close != text.npos) end = close;
      }
      at = end + 1;
      continue;
    }
    const std::string_view key = text.substr(at, end - at);
    at = end + 1;
    const std::string value = value_at(text, at);
    if (!only_ids || names_request(key)) fields.add(key, value, false);
    ++pairs;
  }
}

bool is_logfmt(std::string_view text) {
  const std::size_t end = text.find_first_of(" \t=\"");
  return end != text.npos && end > 0 && text[end] == '=' && std::ranges::all_of(text.substr(0, end), key_character);
}

// A level in capitals, or in brackets; `pid` where nginx has it behind that: `[error] 123#123:`.
void read_level(std::string_view text, model::LoggedLine& line) {
  for (std::size_t word = 0; word < kWordsBeforeLevel; ++word) {
    text = without_spaces(text);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    std::string_view one = text.substr(0, end);
    text.remove_prefix(end);
    if (one.empty()) return;
    const bool bracketed = one.size() > 2 && one.front() == '[' && one.back() == ']';
    while (!one.empty() && (one.back() == ':' || one.back() == ',')) one.remove_suffix(1);
    const bool capitals = std::ranges::all_of(one, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!bracketed && !capitals) continue;
    line.level = level_of(one);
    if (line.level == model::LogLevel::unknown) continue;
    text = without_spaces(text);
    const std::size_t hash = text.find('#');
    std::uint32_t pid = 0;
    if (!bracketed || hash == text.npos || hash == 0 || hash > 10) return;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + hash, pid);
    if (error == std::errc{} && stop == text.data() + hash) line.pid = pid;
    return;
  }
}

}  // namespace

std::string_view read_text_line(std::string_view text, const TimePattern* pattern, std::int64_t near,
                                model::LoggedLine& line, Fields& fields) {
  if (is_logfmt(text)) {
    read_pairs(text, false, fields);
    if (pattern && line.time.state == model::LogTime::State::none) line.time = pattern->find(text, near);
    return {};
  }
  std::size_t length = 0;
  line.time = pattern ? pattern->find(text, near) : time_at_beginning(text, length);
  const std::string_view rest = without_spaces(text.substr(length));
  if (length > 0) {
    if (rest.starts_with('{')) return rest;
    for (const std::string_view before : {"stdout F ", "stderr F ", "stdout P ", "stderr P "})
      if (rest.starts_with(before)) return rest.substr(before.size());
  }
  read_level(rest, line);
  read_pairs(text, true, fields);
  return {};
}

}  // namespace tailcap::logs
