// One direction of an HTTP/2 connection: frame headers are kept, header blocks are masked, and of the rest only what a
// reader needs is kept.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "formats/mask/header_block.h"
#include "formats/mask/rules.h"
#include "formats/sheet.h"
#include "ground/http/http2_frame.h"

namespace tailcap::formats::mask {

class Http2 {
 public:
  // preface: bytes of the client's preface still to come. settings_first: frames begin, and the first one is SETTINGS.
  explicit Http2(std::size_t preface = 0, bool settings_first = false)
      : preface_(preface), settings_first_(settings_first) {}
  // The next bytes of the stream; whole_io: length of the I/O that begins with them, 0 if none does.
  void feed(std::string_view bytes, std::size_t base, std::size_t whole_io, Sheet& sheet, const Rules& rules);
  // Bytes of the same I/O that are not visible.
  void skip(std::uint64_t n);
  // Bytes that others moved.
  void gap(std::uint64_t n);
  // The boundaries of frames are no longer known.
  void lose();
  bool lost() const { return lost_; }
  bool take_lost() { return std::exchange(was_lost_, false) || lost_; }
  // While lost: whether frames begin in the I/O that begins with these bytes. If so, feed them next.
  bool look(std::string_view bytes, std::size_t whole_io);
  // A frame was read.
  bool proved() const { return proved_; }
  // Streams that header blocks opened, in the order of their numbers.
  std::uint64_t streams() const { return streams_; }
  // Bytes of text and of what is noted of calls.
  std::size_t held() const { return block_.held() + calls_.size() * kBytesOfCall; }

  // Whether these bytes are a frame's header, judged as strictly as without any context.
  static bool plausible(std::string_view header);

 private:
  ground::http2::FrameType type() const { return static_cast<ground::http2::FrameType>(header_[3]); }
  static constexpr std::size_t kMaxCalls = 4096;  // gRPC calls in progress; prefixes of further calls are hidden

  static constexpr std::size_t kBytesOfCall = 64;  // with its place in the table
  enum class Part : std::uint8_t { header, pad_length, prefix, fragment, control, data, rest };
  // The messages in the body of a gRPC call.
  struct Call {
    std::uint32_t have = 0;  // of a prefix
    std::uint64_t left = 0;
    bool guessed = false;  // its content type is not known
  };

  bool begin_frame();
  void next_frame();
  void end_block();
  std::size_t search(std::string_view bytes, std::size_t whole_io);
  void resume();
  void data(std::string_view bytes, std::size_t base, Sheet& sheet);

  std::size_t preface_ = 0;
  // Frames were followed from the beginning. Otherwise, what looks like a frame may not be one, and is judged more
  // strictly.
  bool certain_ = true;
  bool settings_first_ = false, lost_ = false, was_lost_ = false, proved_ = false;
  Part part_ = Part::header;
  unsigned char header_[ground::http2::kFrameHeader] = {};
  std::size_t have_ = 0;      // of the header
  std::uint32_t left_ = 0;    // of the payload
  std::uint32_t prefix_ = 0;  // bytes before a fragment, or bytes kept of another frame
  std::uint32_t padding_ = 0;
  std::uint32_t stream_ = 0;
  std::uint32_t highest_ = 0;  // number of a stream so far
  std::uint64_t streams_ = 0;
  std::uint32_t open_block_ = 0;  // stream of a header block that continues in CONTINUATION
  bool block_cut_ = false, block_ends_stream_ = false;
  HeaderBlock block_;
  std::unordered_map<std::uint32_t, Call> calls_;
  std::uint64_t candidate_ = 0;  // lost: bytes to the place where the next frame would begin if the last guess was
                                 // right
  bool searching_ = false;
  std::size_t found_at_ = 0;
};

}  // namespace tailcap::formats::mask
