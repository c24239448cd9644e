#include "formats/file/framer.h"

#include <algorithm>
#include <limits>

#include "formats/crc32c.h"

namespace tailcap::formats::file {

FramedBlock Framer::frame(BlockHeader header, std::span<const std::byte> message) {
  const auto payload = compressor_.compress(message);
  header.raw_size = static_cast<std::uint32_t>(message.size());
  header.stored_size = static_cast<std::uint32_t>(payload.size());
  header.payload_crc = crc32c(payload);
  return {header, payload};
}

FramedBlock Framer::frame(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) {
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(type);
  header.stream = stream;
  header.first = block.first;
  header.last = block.last;
  header.events = block.events;
  header.lost =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(block.lost, std::numeric_limits<std::uint32_t>::max()));
  return frame(header, columns::encode(block, type, message_));
}

FramedBlock Framer::frame(const Preamble& preamble, std::uint8_t flags) {
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(BlockType::preamble);
  header.flags = flags;
  header.first = header.last = preamble.started;
  return frame(header, columns::encode(preamble, message_));
}

FramedBlock Framer::frame(const columns::Footer& footer, std::uint8_t flags) {
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(BlockType::footer);
  header.flags = flags;
  header.first = header.last = footer.ended;
  return frame(header, columns::encode(footer, message_));
}

}  // namespace tailcap::formats::file
