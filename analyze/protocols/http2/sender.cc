#include "analyze/protocols/http2/sender.h"

#include <algorithm>

namespace tailcap::protocols::http2 {
namespace {

bool padded(const FrameHeader& f) {
  return f.has(kPadded) &&
         (f.type == FrameType::data || f.type == FrameType::headers || f.type == FrameType::push_promise);
}

// Octets in front of a header block's fragment.
std::uint32_t in_front(const FrameHeader& f) {
  std::uint32_t n = padded(f) ? 1 : 0;
  if (f.type == FrameType::headers && f.has(kPriority)) n += 5;
  if (f.type == FrameType::push_promise) n += 4;
  return n;
}

// The intersection of a part with [from, to) of its frame's payload.
struct Slice {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
  std::string_view bytes;
};
Slice slice(const PayloadPart& part, std::uint32_t from, std::uint32_t to) {
  const std::uint32_t begin = std::max(part.at, from), end = std::min(part.at + part.length, to);
  if (begin >= end) return {part.offset, 0, {}};
  const std::uint32_t skip = begin - part.at;
  return {part.offset + skip, end - begin, part.bytes.empty() ? part.bytes : part.bytes.substr(skip, end - begin)};
}

Stamp end_of(const PayloadPart& part, const Cursor& cursor) {
  if (part.length == 0) return part.begin;  // a frame without payload ends with its header
  return stamp_of(cursor.run(), part.offset + part.length - 1);
}

}  // namespace

bool Sender::next(Cursor& cursor, SenderItem& item) {
  if (losing_) {
    losing_ = false;
    decoder_.lose();
    item = SenderItem{};
    item.why = why_;
    return true;
  }
  PayloadPart part;
  while (reader_.next(cursor, part))
    if (part.kind == PayloadPart::Kind::payload ? payload(part, cursor, item) : lose(part, cursor, item)) return true;
  return false;
}

bool Sender::lose(const PayloadPart& part, Cursor& cursor, SenderItem& item) {
  const bool violation = part.kind == PayloadPart::Kind::violation;
  why_ = violation                                            ? model::Taint::malformed
         : has(cursor.run().taints, model::Taint::bytes_lost) ? model::Taint::bytes_lost
                                                              : model::Taint::payload_cut;
  losing_ = true;
  if (block_open_) {  // what came of it is good
    block_.cut_here();
    return end_block(item);
  }
  return next(cursor, item);
}

void Sender::begin_frame(const FrameHeader& frame, const PayloadPart& part) {
  pad_ = 0;
  pad_known_ = true;
  if (padded(frame)) {
    pad_known_ = !part.bytes.empty();
    if (pad_known_) pad_ = static_cast<unsigned char>(part.bytes[0]);
    if (pad_ + in_front(frame) > frame.length)
      pad_ = frame.length - in_front(frame);  // an error of theirs: all padding
  }
  if (frame.type == FrameType::headers || frame.type == FrameType::push_promise) {
    block_.clear();
    block_open_ = true;
    block_frame_ = frame;
    block_begin_ = part.begin;
    promised_.clear();
  }
  control_.clear();
  control_known_ = true;
}

bool Sender::payload(const PayloadPart& part, const Cursor& cursor, SenderItem& item) {
  const FrameHeader& frame = part.frame;
  if (part.at == 0) begin_frame(frame, part);
  switch (frame.type) {
    case FrameType::data:
      return data(part, cursor, item);
    case FrameType::headers:
    case FrameType::push_promise:
    case FrameType::continuation:
      add_fragment(part);
      if (!part.last || !frame.has(kEndHeaders)) return false;
      block_end_ = end_of(part, cursor);
      return end_block(item);
    case FrameType::rst_stream:
    case FrameType::settings:
    case FrameType::goaway:
    case FrameType::window_update:
      // Behind the two numbers of GOAWAY is a text, which captures mostly withhold.
      if (part.length > 0 && part.bytes.empty() && part.at < (frame.type == FrameType::goaway ? 8 : kMaxControl))
        control_known_ = false;
      control_.append(part.bytes.substr(0, kMaxControl - std::min(kMaxControl, control_.size())));
      if (!part.last) return false;
      item = SenderItem{};
      item.kind = SenderItem::Kind::control;
      item.frame = frame;
      item.begin = part.begin;
      item.end = end_of(part, cursor);
      if (control_known_) item.payload = control_;
      return true;
    case FrameType::priority:
    case FrameType::ping:
      break;
  }
  return false;  // nothing to be learnt from it
}

void Sender::add_fragment(const PayloadPart& part) {
  if (part.frame.type == FrameType::push_promise && promised_.size() < 4) {
    const std::uint32_t from = padded(part.frame) ? 1 : 0;
    promised_ += slice(part, from, from + 4).bytes;
  }
  const Slice s = slice(part, in_front(part.frame), part.frame.length - pad_);
  if (s.length == 0 || block_.cut()) return;
  if (!pad_known_ || block_.size() + s.length > kMaxBlock) {  // where the fragment ends is not known; or it is too long
    block_.cut_here();
  } else if (s.bytes.empty()) {
    block_.append_unknown(s.length);
  } else {
    block_.append(s.bytes);
  }
}

bool Sender::end_block(SenderItem& item) {
  block_open_ = false;
  item = SenderItem{};
  item.kind = block_frame_.type == FrameType::push_promise ? SenderItem::Kind::promise : SenderItem::Kind::headers;
  item.frame = block_frame_;
  item.begin = block_begin_;
  item.end = losing_ ? block_begin_ : block_end_;
  if (promised_.size() == 4) item.promised = read32(promised_) & 0x7fffffffu;
  item.block_step = decoder_.decode(block_, fields);
  return true;
}

bool Sender::data(const PayloadPart& part, const Cursor& cursor, SenderItem& item) {
  const Slice s = slice(part, padded(part.frame) ? 1 : 0, part.frame.length - pad_);
  if (s.length == 0 && !part.last) return false;
  item.kind = SenderItem::Kind::data;
  item.frame = part.frame;
  item.begin = part.begin;
  item.end = end_of(part, cursor);
  item.payload = s.bytes;
  item.offset = s.offset;
  item.length = s.length;
  item.body_known = pad_known_;
  item.last = part.last;
  return true;
}

}  // namespace tailcap::protocols::http2
