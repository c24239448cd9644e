#include "analyze/model/wire/trace_formats.h"

#include <algorithm>
#include <array>

#include "ground/http/http_text.h"

namespace tailcap::model {
namespace {

constexpr std::size_t kMaxValue = 1024;  // of a field; a longer one is none of these

using ground::lower;

bool hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// In lower case, padded to `digits`; empty: no number of that size, or zero.
std::string padded_hex(std::string_view text, std::size_t digits) {
  if (text.empty() || text.size() > digits) return {};
  std::string out(digits - text.size(), '0');
  bool zero = true;
  for (const char c : text) {
    const char l = lower(c);
    if (!hex_digit(l)) return {};
    zero = zero && l == '0';
    out.push_back(l);
  }
  return zero ? std::string() : out;
}

std::string trace_of(std::string_view text) {
  return text.size() == 16 || text.size() == 32 ? padded_hex(text, 32) : std::string();
}
std::string span_of(std::string_view text) { return text.size() == 16 ? padded_hex(text, 16) : std::string(); }

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

// Up to N parts; how many there were. More than N: N + 1.
template <std::size_t N>
std::size_t split(std::string_view text, char at, std::array<std::string_view, N>& parts) {
  for (std::size_t n = 0; n < N; ++n) {
    const std::size_t end = text.find(at);
    parts[n] = text.substr(0, end);
    if (end == text.npos) return n + 1;
    text.remove_prefix(end + 1);
  }
  return N + 1;
}

bool sampled_flag(std::string_view s) { return s == "1" || s == "d" || s == "true"; }

int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool printable_text(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

Members members(std::string_view value, bool properties) {
  Members out;
  while (!value.empty() && out.size() < kMaxMembers) {
    const std::size_t end = std::min(value.find(','), value.size());
    std::string_view member = value.substr(0, end);
    value.remove_prefix(std::min(end + 1, value.size()));
    if (properties) member = member.substr(0, member.find(';'));
    const std::size_t equals = member.find('=');
    if (equals == member.npos) continue;
    const std::string_view key = trimmed(member.substr(0, equals));
    if (printable_text(key)) out.emplace_back(key, trimmed(member.substr(equals + 1)));
  }
  return out;
}

}  // namespace

bool decode_base64(std::string_view text, std::string& out) {
  if (text.size() % 4 == 0)
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return false;
  unsigned bits = 0, have = 0;
  for (const char c : text) {
    const int value = sextet(c);
    if (value < 0) return false;
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xffff;
    if ((have += 6) < 8) continue;
    have -= 8;
    out.push_back(static_cast<char>(bits >> have & 0xff));
  }
  return true;
}

bool is_b3_decision(std::string_view value) {
  return value == "0" || value == "1" || value == "d" || value == "true" || value == "false";
}

std::optional<TraceIds> ids_of_b3(std::string_view value) {
  std::array<std::string_view, 4> parts;
  const std::size_t n = split(value, '-', parts);
  if (n < 2 || n > 4) return std::nullopt;
  if (n > 2 && !is_b3_decision(parts[2])) return std::nullopt;
  if (n > 3 && parts[3].empty()) return std::nullopt;
  return ids_of_x_b3(parts[0], parts[1], parts[3], parts[2]);
}

std::optional<TraceIds> ids_of_x_b3(std::string_view trace, std::string_view span, std::string_view parent,
                                    std::string_view sampled) {
  TraceIds ids{trace_of(trace), span_of(span), span_of(parent), sampled_flag(sampled) ? "01" : "00"};
  if (ids.trace.empty() || ids.span.empty() || (!parent.empty() && ids.parent.empty())) return std::nullopt;
  return ids;
}

std::optional<TraceIds> ids_of_uber(std::string_view value) {
  std::string plain;
  if (value.size() > kMaxValue) return std::nullopt;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool colon = value[i] == '%' && i + 2 < value.size() && value[i + 1] == '3' && lower(value[i + 2]) == 'a';
    plain.push_back(colon ? ':' : value[i]);
    if (colon) i += 2;
  }
  std::array<std::string_view, 4> parts;
  if (split(plain, ':', parts) != 4) return std::nullopt;
  TraceIds ids{padded_hex(parts[0], 32), padded_hex(parts[1], 16), padded_hex(parts[2], 16), "00"};
  // A parent of 0 is none.
  const bool no_parent = !parts[2].empty() && parts[2].size() <= 16 && parts[2].find_first_not_of('0') == parts[2].npos;
  if (ids.trace.empty() || ids.span.empty() || (ids.parent.empty() && !no_parent)) return std::nullopt;
  if (parts[3].empty() || parts[3].size() > 2) return std::nullopt;
  const char last = lower(parts[3].back());
  if (!std::all_of(parts[3].begin(), parts[3].end(), [](char c) { return hex_digit(lower(c)); })) return std::nullopt;
  const int digit = last >= 'a' ? last - 'a' + 10 : last - '0';
  if (digit & 1) ids.flags = "01";
  return ids;
}

std::optional<TraceIds> ids_of_sw8(std::string_view value) {
  std::array<std::string_view, 8> parts;
  if (value.size() > kMaxValue || split(value, '-', parts) != 8) return std::nullopt;
  if (parts[0] != "0" && parts[0] != "1") return std::nullopt;
  std::string trace, segment;
  if (!decode_base64(parts[1], trace) || !decode_base64(parts[2], segment)) return std::nullopt;
  // '/' parts trace and span in a row.
  if (!printable_text(trace) || !printable_text(segment) || trace.find('/') != trace.npos) return std::nullopt;
  const std::string_view number = parts[3];
  if (number.empty() || number.size() > 9 || number.find_first_not_of("0123456789") != number.npos) return std::nullopt;
  return TraceIds{trace, segment + "-" + std::string(number), "", parts[0] == "1" ? "01" : "00"};
}

std::optional<TraceIds> ids_of_amzn(std::string_view value) {
  if (value.size() > kMaxValue) return std::nullopt;
  TraceIds ids;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(';'), value.size());
    const std::string_view part = trimmed(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    if (part.starts_with("Root=")) {
      const std::string_view root = part.substr(5);
      if (root.size() != 35 || !root.starts_with("1-") || root[10] != '-') return std::nullopt;
      ids.trace = padded_hex(std::string(root.substr(2, 8)) + std::string(root.substr(11)), 32);
      if (ids.trace.empty()) return std::nullopt;
    } else if (part.starts_with("Parent=")) {
      if ((ids.span = span_of(part.substr(7))).empty()) return std::nullopt;
    } else if (part == "Sampled=1") {
      ids.flags = "01";
    }
  }
  return ids.trace.empty() ? std::nullopt : std::optional(ids);
}

Members members_of_tracestate(std::string_view value) { return members(value, false); }
Members members_of_baggage(std::string_view value) { return members(value, true); }

}  // namespace tailcap::model
