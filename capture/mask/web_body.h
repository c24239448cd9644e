// A body of gRPC-Web in HTTP/1: the prefixes of messages are kept, and of the trailers behind them what is on the list.
// In the text form all of it is in base64.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "capture/mask/fields.h"
#include "capture/mask/sheet.h"

namespace tailcap::capture::mask {

class WebBody {
 public:
  explicit WebBody(bool text) : text_(text) {}
  void feed(std::string_view bytes, std::size_t base, Sheet& sheet, const HeaderList& list);
  // Bytes went by unseen: no place in the body is known any more, unless all of them were of one message.
  void skip(std::uint64_t n);

 private:
  void binary(std::string_view bytes, std::size_t base, Sheet& sheet, const HeaderList& list);
  void coded(std::string_view bytes, std::size_t base, Sheet& sheet, const HeaderList& list);
  bool keeps_next() const;

  bool text_, lost_ = false;
  bool in_trailers_ = false;
  unsigned have_ = 0;       // of a prefix
  std::uint64_t left_ = 0;  // of the message behind it
  Fields trailers_;
  Sheet plain_;  // text: what is left of the bytes that are coded
  std::string decoded_, changed_;
  unsigned bits_ = 0, digits_ = 0;  // text: the digits of a group of four so far
};

}  // namespace tailcap::capture::mask
