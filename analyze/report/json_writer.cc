#include "analyze/report/json_writer.h"

#include <charconv>
#include <cmath>

namespace tailcap::report {
namespace {

// Length of the valid UTF-8 sequence at the front of s; 0: there is none.
std::size_t sequence(std::string_view s) {
  const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const auto next = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned a = byte(0), b = byte(1);
  if (a < 0x80) return 1;
  if (a >= 0xc2 && a <= 0xdf) return next(1) ? 2 : 0;
  if (a >= 0xe0 && a <= 0xef) {
    if ((a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f)) return 0;  // overlong, surrogate
    return next(1) && next(2) ? 3 : 0;
  }
  if (a >= 0xf0 && a <= 0xf4) {
    if ((a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f)) return 0;
    return next(1) && next(2) && next(3) ? 4 : 0;
  }
  return 0;
}

bool plain(char c) { return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f; }  // false for bytes >= 0x80, too

}  // namespace

void JsonWriter::comma() {
  if (after_key_)
    after_key_ = false;
  else if (!first_)
    out_ += ',';
  first_ = false;
}

void JsonWriter::open(char c) {
  comma();
  out_ += c;
  first_ = true;
}

void JsonWriter::close(char c) {
  out_ += c;
  first_ = false;
}

void JsonWriter::key(std::string_view name) {
  comma();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  after_key_ = true;
}

void JsonWriter::text(std::string_view value) {
  comma();
  out_ += '"';
  while (!value.empty()) {
    std::size_t n = 0;
    while (n < value.size() && plain(value[n])) ++n;
    out_ += value.substr(0, n);
    value.remove_prefix(n);
    if (value.empty()) break;
    const char c = value.front();
    n = 1;
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (c == '\n') {
      out_ += "\\n";
    } else if (c == '\t') {
      out_ += "\\t";
    } else if (c == '\r') {
      out_ += "\\r";
    } else if ((c >= 0 && c < 0x20) || c == 0x7f) {
      constexpr char hex[] = "0123456789abcdef";
      out_ += "\\u00";
      out_ += hex[c >> 4];
      out_ += hex[c & 15];
    } else if (const std::size_t length = sequence(value); length > 0) {
      out_ += value.substr(0, length);
      n = length;
    } else {
      out_ += "\xef\xbf\xbd";
    }
    value.remove_prefix(n);
  }
  out_ += '"';
}

void JsonWriter::text_or_null(std::string_view value) { value.empty() ? null() : text(value); }

void JsonWriter::number(std::int64_t value) {
  comma();
  char buffer[24];
  out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void JsonWriter::number(std::uint64_t value) {
  comma();
  char buffer[24];
  out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void JsonWriter::real(double value) {
  if (!std::isfinite(value)) return null();
  comma();
  char buffer[32];
  out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void JsonWriter::boolean(bool value) {
  comma();
  out_ += value ? "true" : "false";
}

void JsonWriter::null() {
  comma();
  out_ += "null";
}

}  // namespace tailcap::report
