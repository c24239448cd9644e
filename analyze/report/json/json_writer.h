// Writes JSON in the order of the calls. Text that is no UTF-8 is written with U+FFFD in place of its wrong bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailcap::report {

class JsonWriter {
 public:
  // Appends to out, which must outlive the writer.
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name);  // of our own: written as it is
  void quoted_key(std::string_view text) {
    comma();
    out_ += text;
    after_key_ = true;
  }  // likewise, with quotes and colon: "name":

  void text(std::string_view value);
  void text_or_null(std::string_view value);  // empty: null
  void number(std::int64_t value);
  void number(std::uint64_t value);
  void real(double value);  // shortest form that reads back the same; null if it is no number
  void boolean(bool value);
  void null();
  void raw(std::string_view json) {
    comma();
    out_ += json;
  }  // a whole value

  // key and value
  void field(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  void field(std::string_view name, const char* value) {
    key(name);
    text(value);
  }
  void field(std::string_view name, std::int64_t value) {
    key(name);
    number(value);
  }
  void field(std::string_view name, std::uint64_t value) {
    key(name);
    number(value);
  }
  void field(std::string_view name, std::uint32_t value) {
    key(name);
    number(std::uint64_t{value});
  }
  void field(std::string_view name, bool value) {
    key(name);
    boolean(value);
  }

 private:
  void open(char c);
  void close(char c);
  void comma();

  std::string& out_;
  bool first_ = true;  // nothing written yet where we are
  bool after_key_ = false;
};

}  // namespace tailcap::report
