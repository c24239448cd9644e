// CRC-32C (Castagnoli, as in RFC 3720), the checksum of block headers and payloads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tailcap::formats {

// The checksum of `bytes`; `before` continues the checksum of the bytes in front of them.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

// The same by table, which crc32c uses where the processor has no instruction for it. Apart for the test.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace tailcap::formats
