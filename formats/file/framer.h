// Makes the header and the compressed payload of a block; its place in a file is not known yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/block.h"
#include "formats/columns/message.h"
#include "formats/file/zstd_frame.h"

namespace tailcap::formats::file {

struct FramedBlock {
  BlockHeader header;  // without sequence and stream_sequence
  std::span<const std::byte> payload;
};

class Framer {
 public:
  // The payload is valid until the next call.
  FramedBlock frame(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream);
  FramedBlock frame(const Preamble& preamble, std::uint8_t flags);
  FramedBlock frame(const columns::Footer& footer, std::uint8_t flags);

 private:
  FramedBlock frame(BlockHeader header, std::span<const std::byte> message);

  columns::MessageBuffer message_;
  Compressor compressor_;
};

}  // namespace tailcap::formats::file
