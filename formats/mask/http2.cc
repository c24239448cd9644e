#include "formats/mask/http2.h"

#include <algorithm>
#include <iterator>

namespace tailcap::formats::mask {

using namespace ground::http2;

namespace {

constexpr std::uint32_t kMaxSettings = 64 * 6;
constexpr std::uint32_t kMessagePrefix = 5;  // of gRPC
constexpr std::uint32_t kPlausibleMessage = 1u << 24;

// Endpoints take longer SETTINGS, but none sends them.
bool acceptable(const FrameHeader& h) {
  return ground::http2::legal(h) && (h.type != FrameType::settings || h.length <= kMaxSettings);
}

}  // namespace

bool Http2::plausible(std::string_view bytes) {
  if (bytes.size() < kFrameHeader) return false;
  const FrameHeader h = parse_frame_header(bytes);
  return ground::http2::plausible(h, kSmallestMaxFrame) && acceptable(h);
}

void Http2::lose() {
  lost_ = was_lost_ = true;
  searching_ = false;
  settings_first_ = false;
  preface_ = 0;
  block_.forget();
  let_go_of(calls_);
}

void Http2::resume() {
  lost_ = certain_ = false;
  have_ = left_ = 0;
  part_ = Part::header;
  open_block_ = 0;
  block_cut_ = false;
  block_.forget();
  calls_.clear();
}

// Returns where a frame certainly begins in these bytes; bytes.size() if nowhere.
std::size_t Http2::search(std::string_view bytes, std::size_t whole_io) {
  if (searching_) {
    const std::uint64_t at = candidate_;
    if (at >= whole_io) {
      candidate_ -= whole_io;
      return bytes.size();
    }
    searching_ = false;
    if (at < bytes.size() && plausible(bytes.substr(static_cast<std::size_t>(at)))) return static_cast<std::size_t>(at);
  }
  if (!plausible(bytes)) return bytes.size();
  const std::uint64_t next = kFrameHeader + parse_frame_header(bytes).length;
  if (next == whole_io) return 0;
  if (next < whole_io)
    return next < bytes.size() && plausible(bytes.substr(static_cast<std::size_t>(next))) ? 0 : bytes.size();
  searching_ = true;
  candidate_ = next - whole_io;
  return bytes.size();
}

bool Http2::look(std::string_view bytes, std::size_t whole_io) {
  // A client's whole preface, and SETTINGS after it if there are more bytes: as reliable as two frames.
  if (bytes.starts_with(kPreface) && (whole_io == kPreface.size() || plausible(bytes.substr(kPreface.size())))) {
    resume();
    preface_ = kPreface.size();
    was_lost_ = false;
    return true;
  }
  const std::size_t at = search(bytes, whole_io);
  if (at == bytes.size()) return false;
  resume();
  found_at_ = at;
  was_lost_ = at > 0;
  return true;
}

void Http2::gap(std::uint64_t n) {
  if (lost_)
    searching_ = false;
  else
    skip(n);
}

void Http2::skip(std::uint64_t n) {
  while (n > 0 && !lost_) {
    if (part_ == Part::header || preface_ > 0) return lose();
    const auto m = static_cast<std::uint32_t>(std::min<std::uint64_t>(n, left_));
    if (part_ == Part::fragment || open_block_ != 0) {
      // The table's entries are no longer known, but the start of the next frame is.
      block_cut_ = true;
      part_ = Part::rest;
    } else if (part_ == Part::data) {
      const auto call = calls_.find(stream_);
      if (call != calls_.end()) {
        Call& c = call->second;
        if (c.have == kMessagePrefix && m <= c.left) {
          c.left -= m;
          if (c.left == 0) c.have = 0;
        } else {
          calls_.erase(call);
        }
      }
    } else {
      if (part_ == Part::pad_length && (type() == FrameType::headers || type() == FrameType::push_promise))
        block_cut_ = true;
      if (part_ == Part::prefix) block_cut_ = true;
      part_ = Part::rest;
    }
    left_ -= m;
    n -= m;
    if (left_ == 0) next_frame();
  }
}

bool Http2::begin_frame() {
  const std::string_view bytes{reinterpret_cast<const char*>(header_), kFrameHeader};
  const FrameHeader h = parse_frame_header(bytes);
  have_ = 0;
  left_ = h.length;
  stream_ = h.stream;
  padding_ = prefix_ = 0;
  if (!acceptable(h) || (!certain_ && !plausible(bytes)) ||
      (settings_first_ && (h.type != FrameType::settings || h.flags != 0)))
    return false;
  settings_first_ = false;
  // Only CONTINUATION continues a header block.
  if (open_block_ != 0 ? h.type != FrameType::continuation || h.stream != open_block_
                       : h.type == FrameType::continuation)
    return false;
  const bool padded = (h.flags & kPadded) != 0;
  switch (h.type) {
    case FrameType::data:
      part_ = padded ? Part::pad_length : Part::data;
      break;
    case FrameType::headers:
    case FrameType::push_promise:
      prefix_ = h.type == FrameType::push_promise ? 4 : (h.flags & kPriority) != 0 ? 5 : 0;
      part_ = padded ? Part::pad_length : prefix_ > 0 ? Part::prefix : Part::fragment;
      open_block_ = h.stream;
      if (h.type == FrameType::headers && h.stream > highest_) {
        highest_ = h.stream;
        streams_++;
      }
      block_cut_ = false;
      block_ends_stream_ = h.type == FrameType::headers && (h.flags & kEndStream) != 0;
      block_.begin();
      break;
    case FrameType::continuation:
      part_ = block_cut_ ? Part::rest : Part::fragment;
      break;
    case FrameType::priority:
    case FrameType::rst_stream:
    case FrameType::settings:
    case FrameType::window_update:
      prefix_ = h.length;
      part_ = Part::control;
      break;
    case FrameType::goaway:
      prefix_ = 8;
      part_ = Part::control;
      break;
    default:
      part_ = Part::rest;
      break;
  }
  proved_ = true;
  if (left_ == 0) next_frame();
  return !lost_;
}

// The payload is complete.
void Http2::next_frame() {
  const FrameType type = this->type();
  const std::uint8_t flags = header_[4];
  part_ = Part::header;
  if (type == FrameType::headers || type == FrameType::push_promise || type == FrameType::continuation) {
    if ((flags & kEndHeaders) != 0) end_block();
  } else if ((type == FrameType::data && (flags & kEndStream) != 0) || type == FrameType::rst_stream) {
    calls_.erase(stream_);
  }
}

void Http2::end_block() {
  if (block_cut_)
    block_.forget();
  else if (!block_.whole())
    return lose();
  if (block_ends_stream_)
    calls_.erase(open_block_);
  else if (block_cut_ || block_.type() != HeaderBlock::Type::other)
    if (calls_.size() < kMaxCalls)
      calls_.try_emplace(open_block_, Call{0, 0, block_cut_ || block_.type() == HeaderBlock::Type::unknown});
  open_block_ = 0;
  block_cut_ = false;
}

void Http2::feed(std::string_view bytes, std::size_t base, std::size_t whole_io, Sheet& sheet, const Rules& rules) {
  std::size_t at = 0;
  if (lost_) {
    if (whole_io == 0 || !look(bytes, whole_io)) return;
  }
  at = std::exchange(found_at_, 0);
  while (at < bytes.size() && !lost_) {
    if (preface_ > 0) {
      if (bytes[at] != kPreface[kPreface.size() - preface_]) return lose();
      sheet.keep(base + at, base + at + 1);
      preface_--;
      at++;
      continue;
    }
    if (part_ == Part::header) {
      const std::size_t n = std::min(kFrameHeader - have_, bytes.size() - at);
      std::copy_n(bytes.data() + at, n, header_ + have_);
      have_ += n;
      // Bytes that may still turn out not to be a header: the first ones, of a length or of SETTINGS, are not
      // sensitive.
      if (have_ < kFrameHeader) {
        if (settings_first_ && (header_[0] != 0 || (have_ > 3 && type() != FrameType::settings))) return lose();
        const std::uint32_t length = std::uint32_t{header_[0]} << 16 | (have_ > 1 ? std::uint32_t{header_[1]} << 8 : 0);
        if (!certain_ && (length > kSmallestMaxFrame || (have_ > 3 && header_[3] >= kFrameTypes))) return lose();
        sheet.keep(base + at, base + at + n);
        return;
      }
      if (!begin_frame()) return lose();
      sheet.keep(base + at, base + at + n);
      at += n;
      continue;
    }
    const std::size_t here = std::min<std::size_t>(bytes.size() - at, left_);
    std::size_t done = here;
    switch (part_) {
      case Part::header:
        break;
      case Part::pad_length:
        done = 1;
        padding_ = static_cast<unsigned char>(bytes[at]);
        if (padding_ + prefix_ + 1 > left_) return lose();
        sheet.keep(base + at, base + at + 1);
        part_ = type() == FrameType::data ? Part::data : prefix_ > 0 ? Part::prefix : Part::fragment;
        break;
      case Part::prefix:
      case Part::control:
        done = std::min<std::size_t>(here, prefix_);
        sheet.keep(base + at, base + at + done);
        prefix_ -= static_cast<std::uint32_t>(done);
        if (prefix_ == 0) part_ = part_ == Part::prefix ? Part::fragment : Part::rest;
        break;
      case Part::fragment:
        done = std::min<std::size_t>(here, left_ - padding_);
        if (!block_.feed(bytes.substr(at, done), base + at, sheet, rules)) return lose();
        break;
      case Part::data:
        done = std::min<std::size_t>(here, left_ - padding_);
        data(bytes.substr(at, done), base + at, sheet);
        break;
      case Part::rest:
        break;
    }
    at += done;
    left_ -= static_cast<std::uint32_t>(done);
    if (left_ == padding_ && (part_ == Part::fragment || part_ == Part::data)) part_ = Part::rest;
    if (left_ == 0) next_frame();
  }
}

void Http2::data(std::string_view bytes, std::size_t base, Sheet& sheet) {
  const auto found = calls_.find(stream_);
  if (found == calls_.end()) return;
  Call& call = found->second;
  const auto octet = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  if (call.guessed) {
    // The first bytes must show that the message is as long as the frame.
    const bool fits =
        bytes.size() >= kMessagePrefix && octet(0) <= 1 &&
        (octet(1) << 24 | octet(2) << 16 | octet(3) << 8 | octet(4)) + kMessagePrefix >= left_ - padding_ &&
        (octet(1) << 24 | octet(2) << 16) < kPlausibleMessage;
    if (!fits) return static_cast<void>(calls_.erase(found));
    call.guessed = false;
  }
  for (std::size_t at = 0; at < bytes.size();) {
    if (call.have < kMessagePrefix) {
      if (call.have == 0 && octet(at) > 1) return static_cast<void>(calls_.erase(found));  // not a flag of gRPC
      call.left = call.have == 0 ? 0 : call.left << 8 | octet(at);
      sheet.keep(base + at, base + at + 1);
      at++;
      if (++call.have == kMessagePrefix && call.left == 0) call.have = 0;
      continue;
    }
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(call.left, bytes.size() - at));
    call.left -= n;
    at += n;
    if (call.left == 0) call.have = 0;
  }
}

}  // namespace tailcap::formats::mask
