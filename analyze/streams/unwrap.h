// Converts a position as the kernel counts it to an offset in the stream.
//
// TCP counts in 32 bits and wraps; a piece never lies 2 GiB from the one before it, because no window is that large.
#pragma once

#include <cstdint>

namespace tailcap::streams {

// The start of a direction without a seen first byte. Pieces that turn out to lie before it keep positive offsets, and
// as it is 2^32, the raw sequence number of offset 0 does not change.
inline constexpr std::int64_t kUnknownStart = std::int64_t{1} << 32;

// The offset nearest to `near` whose raw sequence number, counted from base, is raw.
constexpr std::int64_t unwrap(std::uint32_t raw, std::uint32_t base, std::int64_t near) {
  const auto distance = static_cast<std::int32_t>(raw - base - static_cast<std::uint32_t>(near));
  return near + distance;
}

}  // namespace tailcap::streams
