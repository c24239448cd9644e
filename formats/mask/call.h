// A connection that carries calls of a database, cache or queue: what is kept of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "formats/calls/stream.h"
#include "formats/mask/rules.h"
#include "formats/sheet.h"
#include "formats/sql/mask.h"

namespace tailcap::formats::mask {

class Call {
 public:
  // requests: the direction in which they move, 0 out, 1 in.
  Call(calls::Stream stream, unsigned requests);
  calls::Stream::State state() const { return stream_.state(); }
  unsigned requests() const { return requests_; }
  calls::Kind kind() const { return stream_.kind(); }
  // Requests whose end was seen.
  std::uint64_t asked() const { return asked_; }
  // The position of a direction was lost since the last call.
  bool take_lost() { return std::exchange(was_lost_, false); }

  // base: the number of the first visible byte on the sheet.
  void moved(unsigned direction, const calls::Piece& piece, std::size_t base, Sheet& sheet, const Rules& rules);
  void gap(unsigned direction, std::uint64_t n);

 private:
  struct Losses;
  struct Writer;
  void not_seen(calls::Side side);
  calls::Side side(unsigned direction) const {
    return direction == requests_ ? calls::Side::requests : calls::Side::responses;
  }

  calls::Stream stream_;
  unsigned requests_;
  bool was_lost_ = false;
  std::uint64_t asked_ = 0;
  struct Text {          // of a field
    bool open = false;   // a field began in an earlier piece
    bool blind = false;  // and some of it was not seen
  };
  std::array<Text, 2> text_;
  sql::Mask sql_;
  bool sql_used_ = false;  // for the request that is read
};

}  // namespace tailcap::formats::mask
