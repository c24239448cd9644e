// Masks the header blocks of one direction of an HTTP/2 connection: names are kept, and of
// the values what the rules keep.
//
// Coded and decoded lengths are kept, so a reader's header compression stays in step. The entries of the dynamic table
// are followed; unknown ones are masked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "formats/mask/coded_text.h"
#include "formats/mask/rules.h"
#include "formats/mask/waiting.h"
#include "formats/sheet.h"

namespace tailcap::formats::mask {

class HeaderBlock {
 public:
  // The type of the body according to the block.
  enum class Type : std::uint8_t { other, unknown, grpc };

  void begin();
  // The next bytes of the block. False: they are invalid, and nothing of this direction can be understood any more.
  bool feed(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  // Ends the block; false: it ends in the middle of a field.
  bool whole() const { return field_ == Field::start && !in_integer_; }
  Type type() const { return type_; }
  // Part of the block was not seen: the table's entries are unknown.
  void forget();
  // Bytes of text and of the table's entries.
  std::size_t held() const {
    return held_by(name_) + held_by(media_) + held_by(value_) + held_by(scratch_) + entries_.size() * sizeof(Entry) +
           text_.held();
  }

 private:
  enum class Field : std::uint8_t { start, index, name_length, name, value_length, value };
  struct Entry {
    Value value = Value::masked;
    bool type = false;  // content-type
    bool grpc = false;  // … of gRPC
  };

  void begin_field(std::uint8_t byte);
  void begin_integer(std::uint8_t byte, unsigned prefix_bits, Field then);
  bool integer_done();
  bool name(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  void value(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  void end_value();
  void release(std::size_t than);
  void took(const Entry& entry);
  Entry entry_of(std::string_view name, const Rules& rules) const;
  bool judge(std::string& text, bool more, const Rules& rules);

  Field field_ = Field::start;
  std::uint64_t number_ = 0;
  unsigned shift_ = 0;
  bool in_integer_ = false;
  bool adds_ = false;     // the field enters the dynamic table
  bool indexed_ = false;  // the integer names a whole field, or a size
  bool resizes_ = false;
  bool coded_ = false;
  bool begun_ = false;  // a part of the value was judged
  const Rules* rules_ = nullptr;
  Type type_ = Type::other;
  Entry entry_;
  std::uint64_t string_left_ = 0, string_all_ = 0;
  std::string name_, media_;     // as coded; the beginning of a content type
  std::string value_, scratch_;  // as far as it is decoded
  CodedText text_;
  std::deque<Entry> entries_;  // of the dynamic table, newest first
};

}  // namespace tailcap::formats::mask
