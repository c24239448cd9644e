// The block header: 64 bytes in a zstd skippable frame in front of every payload frame. formats/FORMAT.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "formats/time.h"

namespace tailcap::formats {

// Raised only when a reader of the version before would misread; everything else is additive.
inline constexpr std::uint16_t kFormatVersion = 1;

inline constexpr std::uint64_t kBlockRawBytes = 1u << 20;  // a block of events is closed at this raw size
inline constexpr std::uint64_t kMaxBlockRaw = 64u << 20;
// What zstd may make of it.
inline constexpr std::uint64_t kMaxBlockStored = kMaxBlockRaw + (kMaxBlockRaw >> 8) + (1u << 16);
// Refs have 16 bits; this also bounds the memory for decoded events.
inline constexpr std::uint32_t kMaxBlockEvents = 1u << 16;

enum class BlockType : std::uint8_t { preamble = 0, events = 1, keyframe = 2, footer = 3 };

inline constexpr std::uint8_t kBlockRecovered = 0x02;  // flag of a footer that `recover` wrote

struct BlockHeader {
  std::uint8_t type = 0;  // BlockType, or one that a later version knows
  std::uint8_t flags = 0;
  std::uint16_t stream = 0;
  std::uint16_t version = kFormatVersion;
  std::uint32_t sequence = 0;            // in the file
  std::uint32_t stream_sequence = 0;     // among the event and keyframe blocks of the stream
  Time first = kNoTime, last = kNoTime;  // earliest and latest event
  std::uint32_t events = 0;
  std::uint32_t lost = 0;          // sum of the counts of the loss events inside, saturating
  std::uint32_t stored_size = 0;   // of the zstd frame
  std::uint32_t raw_size = 0;      // of the message in it
  std::uint32_t payload_crc = 0;   // CRC-32C of the zstd frame
  std::uint16_t header_size = 64;  // a later version may have longer ones; what is behind 64 bytes is ignored
  bool operator==(const BlockHeader&) const = default;

  bool is(BlockType t) const { return type == static_cast<std::uint8_t>(t); }
  bool has_events() const { return is(BlockType::events) || is(BlockType::keyframe); }
  // From the first byte of the skippable frame to the last byte of the zstd frame.
  std::uint64_t block_size() const { return 8 + header_size + std::uint64_t{stored_size}; }
};

inline constexpr std::size_t kFramedHeader = 8 + 64;      // as this version writes it
inline constexpr std::size_t kMaxFramedHeader = 8 + 256;  // as any later version may

// The skippable frame, as it is written.
std::array<std::byte, kFramedHeader> encode(const BlockHeader& header);

// The header whose skippable frame starts at bytes[0]; nothing unless all of it is there, sound and within its limits.
// Give at least kMaxFramedHeader bytes where the file has them.
std::optional<BlockHeader> decode_header(std::span<const std::byte> bytes);

// The first offset in `bytes` at which decode_header succeeds, or bytes.size().
std::size_t find_header(std::span<const std::byte> bytes);

}  // namespace tailcap::formats
