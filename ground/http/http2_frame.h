// The nine bytes in front of every frame (RFC 9113, section 4.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tailcap::ground::http2 {

enum class FrameType : std::uint8_t {
  data = 0,
  headers = 1,
  priority = 2,
  rst_stream = 3,
  settings = 4,
  push_promise = 5,
  ping = 6,
  goaway = 7,
  window_update = 8,
  continuation = 9,
};

inline constexpr std::uint8_t kEndStream = 0x1;   // DATA, HEADERS
inline constexpr std::uint8_t kAck = 0x1;         // SETTINGS, PING
inline constexpr std::uint8_t kEndHeaders = 0x4;  // HEADERS, PUSH_PROMISE, CONTINUATION
inline constexpr std::uint8_t kPadded = 0x8;      // DATA, HEADERS, PUSH_PROMISE
inline constexpr std::uint8_t kPriority = 0x20;   // HEADERS

inline constexpr std::uint8_t kFrameTypes = 10;  // further ones are extensions

inline constexpr std::size_t kFrameHeader = 9;
inline constexpr std::uint32_t kSmallestMaxFrame = 16384;  // every endpoint takes frames of that size
inline constexpr std::uint32_t kLargestMaxFrame = 0xffffff;
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct FrameHeader {
  std::uint32_t length = 0;
  FrameType type = FrameType::data;  // may be a number without a name
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  bool reserved = false;  // the bit that must be sent as zero and ignored
  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

// bytes: at least kFrameHeader.
FrameHeader parse_frame_header(std::string_view bytes);

// Big-endian numbers; bytes must be long enough.
std::uint16_t read16(std::string_view bytes);
std::uint32_t read32(std::string_view bytes);

// The rules that every endpoint enforces: stream or connection level, fixed lengths. A stream of frames that breaks
// them is no stream of frames.
bool legal(const FrameHeader& header);

// Where it is in doubt whether there is a frame at all: legal, of a known type, with flags that are defined for it, and
// not longer than `longest`.
bool plausible(const FrameHeader& header, std::uint32_t longest);

}  // namespace tailcap::ground::http2
