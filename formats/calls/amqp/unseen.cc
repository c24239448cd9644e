// What can be known behind bytes that were not seen.
#include <algorithm>
#include <utility>

#include "formats/calls/amqp/frames.h"

namespace tailcap::formats::calls::amqp {

bool Amqp::skip(Side side, std::uint64_t n) {
  Direction& d = of(side);
  if (d.at == At::lost) return false;
  if (n == 0) return true;
  if (d.at == At::text && !is_resource(*d.arguments) && n <= d.need) {
    d.left -= static_cast<std::uint32_t>(n);
    d.need -= static_cast<std::uint32_t>(n);
    if (d.need > 0 || argument_done(d)) return true;
  } else if ((d.at == At::rest || d.at == At::body) && n <= d.left) {
    if (d.at == At::body) d.bodies -= n;
    d.left -= static_cast<std::uint32_t>(n);
    if (d.left == 0) d.at = At::frame_end;
    return true;
  } else if (d.at == At::body && skip_bodies(side, n)) {
    return true;
  }
  lost(side);
  return false;
}

// All bodies of a content but the last have the size of the first.
bool Amqp::skip_bodies(Side side, std::uint64_t n) {
  Direction& d = of(side);
  const std::uint64_t size = d.frame, unit = size + kFrameHeader + 1;
  n -= d.left;
  d.bodies -= std::exchange(d.left, 0);
  const bool more = d.bodies > 0;
  if (more && unit < kMinFrame) return false;
  const std::uint64_t whole = std::min(n / unit, d.bodies / size);
  n -= whole * unit;
  d.bodies -= whole * size;
  d.at = At::frame_end;
  if (n == 0) return true;
  --n;
  if (d.bodies > 0) {
    const std::uint64_t last = std::min(size, d.bodies);
    d.text[0] = static_cast<char>(kBody);
    for (std::size_t i = 0; i < 2; ++i) d.text[1 + i] = static_cast<char>(d.channel >> (8 - 8 * i) & 0xff);
    for (std::size_t i = 0; i < 4; ++i) d.text[3 + i] = static_cast<char>(last >> (24 - 8 * i) & 0xff);
    d.at = At::header;
    d.head = static_cast<std::uint8_t>(std::min<std::uint64_t>(n, kFrameHeader));
    d.expected = d.head > 0 ? static_cast<std::uint32_t>(last) : 0;
    if (n < kFrameHeader) return true;
    n -= kFrameHeader;
    if (!begin_frame(d)) return false;
    const std::uint64_t seen = std::min<std::uint64_t>(n, d.left);
    n -= seen;
    d.bodies -= seen;
    d.left -= static_cast<std::uint32_t>(seen);
    if (d.left > 0) return true;
    d.at = At::frame_end;
    if (n == 0) return true;
    --n;
  }
  if (n > 0) return false;
  skipped_[static_cast<std::size_t>(side)] = frame_end(side, std::string_view(&kFrameEnd, 1));
  return true;
}

// An acknowledgement has no byte that is hidden: it is there in masked bytes, too.
bool Amqp::resume(Side side, std::string_view last, Token& ended) {
  constexpr std::size_t kSize = 13, kWhole = kFrameHeader + kSize + 1;
  Direction& d = of(side);
  if (d.at != At::lost || last.size() < kWhole) return false;
  last.remove_prefix(last.size() - kWhole);
  if (last[0] != kMethod || four(last.data() + 3) != kSize || last.back() != kFrameEnd) return false;
  const Method* m = amqp::method(side, two(last.data() + 7), two(last.data() + 9));
  if (two(last.data() + 1) > kMaxChannel || !m || m->role != Role::settle) return false;
  if ((byte(last[kWhole - 2]) & ~unsigned{m->bits}) != 0) return false;
  d = Direction{};
  ended = {.size = kWhole};
  return true;
}

}  // namespace tailcap::formats::calls::amqp
