// Blocks of a file made by hand: valid around whatever message they carry.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "formats/block.h"
#include "formats/columns/message.h"
#include "formats/crc32c.h"
#include "formats/file/zstd_frame.h"
#include "tests/unit/formats/formats_samples.h"

namespace tailcap::formats::test {

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A block with this message, a valid header and a valid checksum.
inline std::string block(BlockHeader header, std::span<const std::byte> message) {
  file::Compressor compressor;
  const auto frame = compressor.compress(message);
  header.raw_size = static_cast<std::uint32_t>(message.size());
  header.stored_size = static_cast<std::uint32_t>(frame.size());
  header.payload_crc = crc32c(frame);
  return text_of(encode(header)) + text_of(frame);
}

inline std::string preamble_block() {
  columns::MessageBuffer buffer;
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(BlockType::preamble);
  header.first = header.last = sample_preamble().started;
  return block(header, columns::encode(sample_preamble(), buffer));
}

}  // namespace tailcap::formats::test
