// The chunked transfer coding, RFC 9112 section 7.1, over bytes that were captured only in part.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analyze/protocols/http1/head.h"

namespace tailcap::protocols {

enum class ChunkStep : std::uint8_t { need_more, done, invalid };

// Larger sizes are invalid. Zeros in front of a size do not count.
inline constexpr std::uint64_t kMaxChunk = 1ull << 60;
// A chunk's size line, and all trailers together. The RFC allows extensions, but they are very rare.
inline constexpr std::size_t kMaxChunkLine = 16u << 10;
inline constexpr std::size_t kMaxTrailers = 64u << 10;

class Chunks {
 public:
  void start() { *this = Chunks(); }
  // Takes captured bytes off the front of `in`, as far as the body goes. Trailers are added to `trailers`.
  // pause: returns need_more in front of a chunk's data, which is then taken with skip().
  ChunkStep push(std::string_view& in, model::Headers& trailers, bool pause = false);
  // n bytes with unknown content: false if framing lies in them.
  bool skip(std::uint64_t n);
  // Bytes of data still to come in this chunk: that many may be unknown.
  std::uint64_t data_left() const { return state_ == State::data ? left_ : 0; }
  std::uint64_t body() const { return body_; }
  bool malformed() const { return framing_.malformed; }

 private:
  enum class State : std::uint8_t { size, extension, data, after_data, trailers };
  ChunkStep end_size_line();
  ChunkStep push_trailer(std::string_view& in, model::Headers& trailers);

  State state_ = State::size;
  std::uint64_t left_ = 0, body_ = 0;
  std::size_t line_ = 0;  // length of the line so far, or of all trailers
  std::size_t digits_ = 0;
  std::string trailer_;  // a trailer line that is not complete
  Framing framing_;      // trailers cannot frame: only `malformed` is used
};

}  // namespace tailcap::protocols
