// Numbers as few bytes: little-endian base 128. What is written down is read back by the same program.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tailcap::model::packed {

// One number takes no more.
inline constexpr std::size_t kMostBytes = 10;

inline void put(std::uint8_t*& at, std::uint64_t v) {
  while (v >= 0x80) {
    *at++ = static_cast<std::uint8_t>(v | 0x80);
    v >>= 7;
  }
  *at++ = static_cast<std::uint8_t>(v);
}

inline std::uint64_t get(const std::uint8_t*& at) {
  std::uint64_t v = *at & 0x7f;
  for (unsigned shift = 7; *at++ & 0x80; shift += 7) v |= static_cast<std::uint64_t>(*at & 0x7f) << shift;
  return v;
}

inline void skip(const std::uint8_t*& at, std::size_t numbers) {
  while (numbers > 0) numbers -= (*at++ & 0x80) == 0;
}

// -1 (unknown) becomes 0.
inline void put_signed(std::uint8_t*& at, std::int64_t v) { put(at, static_cast<std::uint64_t>(v) + 1); }
inline std::int64_t get_signed(const std::uint8_t*& at) { return static_cast<std::int64_t>(get(at) - 1); }

// Small ones of either sign become small.
inline std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
inline std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

}  // namespace tailcap::model::packed
