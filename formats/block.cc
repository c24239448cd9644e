#include "formats/block.h"

#include <cassert>
#include <cstring>

#include "formats/crc32c.h"

namespace tailcap::formats {
namespace {

// One of the sixteen magics that zstd decoders skip (RFC 8878, 3.1.2).
constexpr std::uint32_t kSkippableMagic = 0x184d2a54;
// Never in text; shows a transfer that mangled line ends or the eighth bit, like PNG's signature.
constexpr std::array<unsigned char, 8> kSync = {0x89, 'T', 'C', 'A', 'P', '\r', '\n', 0x1a};

constexpr std::size_t kHeaderCrcAt = 60;
constexpr std::size_t kMinHeader = 64;
constexpr std::size_t kMaxHeader = kMaxFramedHeader - 8;

template <class T>
T get(std::span<const std::byte> bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::uint64_t(bytes[at + i]) << (8 * i);
  return static_cast<T>(value);
}

template <class T>
void put(std::span<std::byte> bytes, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = static_cast<std::byte>(std::uint64_t(value) >> (8 * i));
}

// The header's own checksum, with its field taken as zero.
std::uint32_t own_crc(std::span<const std::byte> content) {
  const std::array<std::byte, 4> zero{};
  const auto before = crc32c(zero, crc32c(content.first(kHeaderCrcAt)));
  return crc32c(content.subspan(kHeaderCrcAt + 4), before);
}

}  // namespace

std::array<std::byte, kFramedHeader> encode(const BlockHeader& header) {
  assert(header.header_size == kMinHeader);
  std::array<std::byte, kFramedHeader> frame{};
  const std::span<std::byte> all(frame);
  put(all, 0, kSkippableMagic);
  put(all, 4, static_cast<std::uint32_t>(kMinHeader));
  const auto h = all.subspan(8);
  std::memcpy(h.data(), kSync.data(), kSync.size());
  put(h, 8, header.header_size);
  put(h, 10, header.type);
  put(h, 11, header.flags);
  put(h, 12, header.stream);
  put(h, 14, header.version);
  put(h, 16, header.sequence);
  put(h, 20, header.stream_sequence);
  put(h, 24, nanoseconds(header.first));
  put(h, 32, nanoseconds(header.last));
  put(h, 40, header.events);
  put(h, 44, header.lost);
  put(h, 48, header.stored_size);
  put(h, 52, header.raw_size);
  put(h, 56, header.payload_crc);
  put(h, kHeaderCrcAt, own_crc(h));
  return frame;
}

std::optional<BlockHeader> decode_header(std::span<const std::byte> bytes) {
  if (bytes.size() < kFramedHeader || get<std::uint32_t>(bytes, 0) != kSkippableMagic) return {};
  if (std::memcmp(bytes.data() + 8, kSync.data(), kSync.size()) != 0) return {};
  const auto size = get<std::uint32_t>(bytes, 4);
  if (size < kMinHeader || size > kMaxHeader || bytes.size() < 8 + size) return {};
  const auto h = bytes.subspan(8, size);
  if (get<std::uint16_t>(h, 8) != size || get<std::uint32_t>(h, kHeaderCrcAt) != own_crc(h)) return {};
  BlockHeader header;
  header.header_size = static_cast<std::uint16_t>(size);
  header.type = get<std::uint8_t>(h, 10);
  header.flags = get<std::uint8_t>(h, 11);
  header.stream = get<std::uint16_t>(h, 12);
  header.version = get<std::uint16_t>(h, 14);
  header.sequence = get<std::uint32_t>(h, 16);
  header.stream_sequence = get<std::uint32_t>(h, 20);
  header.first = time_from(get<std::int64_t>(h, 24));
  header.last = time_from(get<std::int64_t>(h, 32));
  header.events = get<std::uint32_t>(h, 40);
  header.lost = get<std::uint32_t>(h, 44);
  header.stored_size = get<std::uint32_t>(h, 48);
  header.raw_size = get<std::uint32_t>(h, 52);
  header.payload_crc = get<std::uint32_t>(h, 56);
  // The checksum only says that these are the bytes that somebody wrote.
  if (header.first < kNoTime || header.last < header.first || header.last > kMaxTime) return {};
  if (header.raw_size > kMaxBlockRaw || header.stored_size > kMaxBlockStored) return {};
  return header;
}

std::size_t find_header(std::span<const std::byte> bytes) {
  constexpr std::size_t kSyncAt = 8;
  std::size_t at = 0;
  while (bytes.size() - at >= kFramedHeader) {
    const auto* hit = static_cast<const std::byte*>(
        memmem(bytes.data() + at + kSyncAt, bytes.size() - at - kSyncAt, kSync.data(), kSync.size()));
    if (hit == nullptr) break;
    at = static_cast<std::size_t>(hit - bytes.data()) - kSyncAt;
    if (decode_header(bytes.subspan(at))) return at;
    ++at;
  }
  return bytes.size();
}

}  // namespace tailcap::formats
