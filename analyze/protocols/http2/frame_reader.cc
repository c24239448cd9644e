#include "analyze/protocols/http2/frame_reader.h"

#include <algorithm>
#include <cstring>

namespace tailcap::protocols::http2 {

Stamp stamp_of(const model::ByteRun& run, std::uint64_t offset) {
  return {offset, arrival_of(run, offset), run.done, run.thread};
}

void FrameReader::start(bool preface) {
  lost_ = false;
  preface_have_ = preface ? 0 : kPreface.size();
  header_have_ = 0;
  block_stream_ = 0;
}

bool FrameReader::lose(PayloadPart& part, PayloadPart::Kind why) {
  lost_ = true;
  header_have_ = 0;
  preface_have_ = kPreface.size();
  part = {};
  part.kind = why;
  return true;
}

// true: part says that the reader is lost.
bool FrameReader::take_preface(Cursor& cursor, PayloadPart& part) {
  while (preface_have_ < kPreface.size() && cursor.left() > 0) {
    const std::string_view known = cursor.known().substr(0, kPreface.size() - preface_have_);
    if (known.empty()) return lose(part, PayloadPart::Kind::uncaptured);
    if (known != kPreface.substr(preface_have_, known.size())) return lose(part, PayloadPart::Kind::violation);
    preface_have_ += known.size();
    cursor.skip(known.size());
  }
  return false;
}

bool FrameReader::in_sequence(const FrameHeader& h) {
  if (block_stream_ != 0 && (h.type != FrameType::continuation || h.stream != block_stream_)) return false;
  if (block_stream_ == 0 && h.type == FrameType::continuation) return false;
  if (h.type == FrameType::headers || h.type == FrameType::push_promise || h.type == FrameType::continuation)
    block_stream_ = h.has(kEndHeaders) ? 0 : h.stream;
  return true;
}

bool FrameReader::next(Cursor& cursor, PayloadPart& part) {
  if (lost_) return false;
  if (preface_have_ < kPreface.size() && take_preface(cursor, part)) return true;
  while (header_have_ < kFrameHeader) {
    if (cursor.left() == 0) return false;
    const std::string_view known = cursor.known().substr(0, kFrameHeader - header_have_);
    if (known.empty()) return lose(part, PayloadPart::Kind::uncaptured);
    if (header_have_ == 0) begin_ = stamp_of(cursor.run(), cursor.offset());
    std::memcpy(header_ + header_have_, known.data(), known.size());
    header_have_ += known.size();
    cursor.skip(known.size());
    if (header_have_ < kFrameHeader) continue;
    frame_ = parse_frame_header({header_, kFrameHeader});
    done_ = 0;
    if (frame_.length > longest_ || !legal(frame_) || !in_sequence(frame_))
      return lose(part, PayloadPart::Kind::violation);
  }
  std::uint64_t n = std::min<std::uint64_t>(frame_.length - done_, cursor.left());
  if (n == 0 && frame_.length != 0) return false;
  std::string_view bytes;
  if (n > 0) {
    bytes = cursor.known();
    n = std::min(n, bytes.empty() ? cursor.unknown() : bytes.size());
    bytes = bytes.substr(0, n);
  }
  part.kind = PayloadPart::Kind::payload;
  part.frame = frame_;
  part.begin = begin_;
  part.offset = cursor.offset();
  part.at = done_;
  part.length = static_cast<std::uint32_t>(n);
  part.bytes = bytes;
  cursor.skip(n);
  done_ += part.length;
  part.last = done_ == frame_.length;
  if (part.last) header_have_ = 0;
  return true;
}

}  // namespace tailcap::protocols::http2
