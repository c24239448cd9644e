// The chunked coding of a body: sizes, spaces behind them and line ends are kept, extensions hidden, data left out,
// trailers kept like heads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/mask/fields.h"

namespace tailcap::formats::mask {

class Chunks {
 public:
  enum class State : std::uint8_t {
    size,
    padding,
    extension,
    size_end,
    data,
    data_end,
    data_cr,
    trailers,
    done,
    broken
  };

  // strict: parsers are known to read a line end that is no CR and LF differently, so it breaks the body.
  void begin(bool strict);
  // Processes the bytes. Stops before data, which the caller handles: data_left() is its length.
  std::size_t feed(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  std::uint64_t data_left() const { return state_ == State::data ? left_ : 0; }
  // n bytes of data, seen or unseen. False: they are more than that.
  bool skip(std::uint64_t n);
  bool done() const { return state_ == State::done; }
  bool broken() const { return state_ == State::broken; }
  std::size_t held() const { return trailers_.held(); }
  void release() { trailers_.release(0); }

 private:
  void size_done();
  State state_ = State::size;
  std::uint64_t left_ = 0;
  unsigned line_ = 0;
  bool strict_ = false;
  Fields trailers_;
};

}  // namespace tailcap::formats::mask
