// A gRPC-Web body in HTTP/1: message prefixes are kept, and of the trailers after them what the
// rules keep.
// In the text form everything is in base64.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/mask/fields.h"
#include "formats/sheet.h"

namespace tailcap::formats::mask {

class WebBody {
 public:
  explicit WebBody(bool text) : text_(text) {}
  void feed(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  // Bytes were moved unseen: the position in the body is unknown, unless all of them belong to one message.
  void skip(std::uint64_t n);
  std::size_t held() const { return trailers_.held() + 3 * (held_by(decoded_) + held_by(changed_)); }

 private:
  void binary(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  void coded(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  bool keeps_next() const;

  bool text_, lost_ = false;
  bool in_trailers_ = false;
  unsigned have_ = 0;       // of a prefix
  std::uint64_t left_ = 0;  // bytes of the message after the prefix
  Fields trailers_;
  Sheet plain_;  // text: what is left of the bytes that are coded
  std::string decoded_, changed_;
  unsigned bits_ = 0, digits_ = 0;  // text: the digits of a group of four so far
};

}  // namespace tailcap::formats::mask
