#include "analyze/report/json/json_writer.h"

#include <charconv>
#include <cmath>

#include "formats/printable.h"
#include "formats/utf8.h"

namespace tailcap::report {
namespace {

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
    } else {
      n = formats::first_character(value).length;
      out_ += formats::printable_json(value.substr(0, n));
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
