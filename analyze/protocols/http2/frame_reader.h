// Cuts one direction of an HTTP/2 connection into frames, over runs that are cut anywhere and known only in part.
//
// Lengths are enough to go on: only the nine bytes in front of each frame must be known. Where they are not, the reader
// is lost and says so; its owner finds a border again (resync.h) and starts it there.
#pragma once

#include <cstdint>

#include "analyze/protocols/input/cursor.h"
#include "ground/http/http2_frame.h"

namespace tailcap::protocols::http2 {

using namespace ground::http2;

// When the byte at offset was moved, and by which thread.
struct Stamp {
  std::uint64_t offset = 0;
  model::Time arrived = model::kNoTime, done = model::kNoTime;
  model::Thread thread;
};
Stamp stamp_of(const model::ByteRun& run, std::uint64_t offset);

// A stretch of one frame's payload that is either known or not.
struct PayloadPart {
  enum class Kind : std::uint8_t {
    payload,
    uncaptured,  // the next frame's header is not known: the reader is lost
    violation,   // what is there is no frame: the reader is lost
  };
  Kind kind = Kind::payload;
  FrameHeader frame;
  Stamp begin;               // of the frame's first byte
  std::uint64_t offset = 0;  // of this part's first byte in the stream
  std::uint32_t at = 0;      // and in the frame's payload
  std::uint32_t length = 0;
  std::string_view bytes;  // `length` bytes, or none: not captured
  bool last = false;       // the frame ends with this part
};

class FrameReader {
 public:
  // preface: this is the client's direction, at its beginning.
  void start(bool preface);
  bool lost() const { return lost_; }
  // The receiver takes frames of this length: a longer one is none.
  void allow(std::uint32_t longest) { longest_ = longest > longest_ ? longest : longest_; }
  // In the middle of a frame or of its header.
  bool inside() const { return header_have_ != 0 || preface_have_ < kPreface.size(); }
  // The next part in what is left of the run; false: all of it is used. Once lost, nothing more is used.
  bool next(Cursor& cursor, PayloadPart& part);

 private:
  bool lose(PayloadPart& part, PayloadPart::Kind why);
  bool take_preface(Cursor& cursor, PayloadPart& part);
  bool in_sequence(const FrameHeader& header);

  bool lost_ = true;
  std::uint32_t longest_ = kSmallestMaxFrame;
  std::size_t preface_have_ = kPreface.size();
  char header_[kFrameHeader] = {};
  std::size_t header_have_ = 0;
  FrameHeader frame_;
  Stamp begin_;
  std::uint32_t done_ = 0;          // of the frame's payload
  std::uint32_t block_stream_ = 0;  // a header block is open: only its continuation may follow
};

}  // namespace tailcap::protocols::http2
