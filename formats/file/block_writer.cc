#include "formats/file/block_writer.h"

#include <algorithm>
#include <limits>

#include "formats/crc32c.h"

namespace tailcap::formats::file {
namespace {

std::uint64_t add_saturating(std::uint64_t a, std::uint64_t b) {
  return a + b < a ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

}  // namespace

void BlockWriter::note(const BlockHeader& header, std::uint64_t offset) {
  footer_.index.push_back({offset, header});
  footer_.events += header.events;
  footer_.lost = add_saturating(footer_.lost, header.lost);
  footer_.raw_bytes += header.raw_size;
  sequence_ = header.sequence + 1;
  blocks_.store(footer_.index.size(), std::memory_order_relaxed);
  raw_bytes_.store(footer_.raw_bytes, std::memory_order_relaxed);
}

void BlockWriter::append(BlockHeader header, std::span<const std::byte> message) {
  const auto frame = compressor_.compress(message);
  header.sequence = sequence_;
  header.raw_size = static_cast<std::uint32_t>(message.size());
  header.stored_size = static_cast<std::uint32_t>(frame.size());
  header.payload_crc = crc32c(frame);
  const auto offset = file_.size();
  file_.append(encode(header), frame);
  note(header, offset);
}

void BlockWriter::write(const Preamble& preamble) {
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(BlockType::preamble);
  header.flags = flags_;
  header.first = header.last = preamble.started;
  append(header, columns::encode(preamble, message_));
  file_.sync();
}

void BlockWriter::write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) {
  if (stream >= stream_sequences_.size()) stream_sequences_.resize(stream + 1u);
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(type);
  header.stream = stream;
  header.stream_sequence = stream_sequences_[stream];
  header.first = block.first;
  header.last = block.last;
  header.events = block.events;
  header.lost =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(block.lost, std::numeric_limits<std::uint32_t>::max()));
  append(header, columns::encode(block, type, message_));
  ++stream_sequences_[stream];
}

void BlockWriter::copy(const BlockHeader& header, std::span<const std::byte> framed_header,
                       std::span<const std::byte> payload) {
  const auto offset = file_.size();
  file_.append(framed_header, payload);
  note(header, offset);
}

void BlockWriter::finish(CaptureState state, Time ended) {
  footer_.state = state;
  footer_.ended = ended;
  BlockHeader header;
  header.type = static_cast<std::uint8_t>(BlockType::footer);
  header.flags = state == CaptureState::recovered ? kBlockRecovered : flags_;
  header.first = header.last = ended;
  append(header, columns::encode(footer_, message_));
  file_.finish();
}

}  // namespace tailcap::formats::file
