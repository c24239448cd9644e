#include "ground/http/http2_frame.h"

#include <cassert>

namespace tailcap::ground::http2 {
namespace {

std::uint32_t octet(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

}  // namespace

std::uint16_t read16(std::string_view bytes) {
  assert(bytes.size() >= 2);
  return static_cast<std::uint16_t>(octet(bytes, 0) << 8 | octet(bytes, 1));
}

std::uint32_t read32(std::string_view bytes) {
  assert(bytes.size() >= 4);
  return octet(bytes, 0) << 24 | octet(bytes, 1) << 16 | octet(bytes, 2) << 8 | octet(bytes, 3);
}

FrameHeader parse_frame_header(std::string_view bytes) {
  assert(bytes.size() >= kFrameHeader);
  FrameHeader h;
  h.length = octet(bytes, 0) << 16 | octet(bytes, 1) << 8 | octet(bytes, 2);
  h.type = static_cast<FrameType>(octet(bytes, 3));
  h.flags = static_cast<std::uint8_t>(octet(bytes, 4));
  h.stream = read32(bytes.substr(5)) & 0x7fffffffu;
  h.reserved = octet(bytes, 5) & 0x80;
  return h;
}

bool legal(const FrameHeader& h) {
  const std::uint32_t padding = h.has(kPadded) ? 1 : 0;
  switch (h.type) {
    case FrameType::data:
      return h.stream != 0 && h.length >= padding;
    case FrameType::headers:
      return h.stream != 0 && h.length >= padding + (h.has(kPriority) ? 5u : 0u);
    case FrameType::priority:
      return h.stream != 0 && h.length == 5;
    case FrameType::rst_stream:
      return h.stream != 0 && h.length == 4;
    case FrameType::settings:
      return h.stream == 0 && (h.has(kAck) ? h.length == 0 : h.length % 6 == 0);
    case FrameType::push_promise:
      return h.stream != 0 && h.length >= padding + 4;
    case FrameType::ping:
      return h.stream == 0 && h.length == 8;
    case FrameType::goaway:
      return h.stream == 0 && h.length >= 8;
    case FrameType::window_update:
      return h.length == 4;
    case FrameType::continuation:
      return h.stream != 0;
  }
  return true;  // extensions are skipped, whatever they are
}

bool plausible(const FrameHeader& h, std::uint32_t longest) {
  constexpr std::uint8_t kDefined[kFrameTypes] = {kEndStream | kPadded,
                                                  kEndStream | kEndHeaders | kPadded | kPriority,
                                                  0,
                                                  0,
                                                  kAck,
                                                  kEndHeaders | kPadded,
                                                  kAck,
                                                  0,
                                                  0,
                                                  kEndHeaders};
  const auto type = static_cast<std::size_t>(h.type);
  return type < kFrameTypes && (h.flags & ~kDefined[type]) == 0 && !h.reserved && h.length <= longest && legal(h);
}

}  // namespace tailcap::ground::http2
