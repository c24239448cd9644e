// A gRPC-Web body in HTTP/1: message prefixes are kept, and so are the values on the list in the trailers after them.
// In the text form everything is in base64.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "capture/mask/http/fields.h"
#include "formats/sheet.h"

namespace tailcap::capture::mask {

using formats::Sheet;

class WebBody {
 public:
  explicit WebBody(bool text) : text_(text) {}
  void feed(std::string_view bytes, std::size_t base, Sheet& sheet, const HeaderList& list);
  // Bytes were moved unseen: the position in the body is unknown, unless all of them belong to one message.
  void skip(std::uint64_t n);

 private:
  void binary(std::string_view bytes, std::size_t base, Sheet& sheet, const HeaderList& list);
  void coded(std::string_view bytes, std::size_t base, Sheet& sheet, const HeaderList& list);
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

}  // namespace tailcap::capture::mask
