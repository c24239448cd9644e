#include "formats/file/block_writer.h"

#include <limits>

#include "formats/file/marker.h"

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

void BlockWriter::write(const FramedBlock& block) {
  BlockHeader header = block.header;
  header.sequence = sequence_;
  if (header.has_events()) {
    if (header.stream >= stream_sequences_.size()) stream_sequences_.resize(header.stream + 1u);
    header.stream_sequence = stream_sequences_[header.stream];
  }
  const auto offset = out_->size();
  out_->append(encode(header), block.payload);
  note(header, offset);
  if (header.has_events()) ++stream_sequences_[header.stream];
}

void BlockWriter::write(const Preamble& preamble) {
  write(framer_.frame(preamble, flags_));
  out_->sync();
}

void BlockWriter::write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) {
  write(framer_.frame(block, type, stream));
}

void BlockWriter::copy(const BlockHeader& header, std::span<const std::byte> framed_header,
                       std::span<const std::byte> payload) {
  const auto offset = out_->size();
  BlockHeader written = header;
  if (!strict_ && header.is(BlockType::preamble)) written.flags &= static_cast<std::uint8_t>(~kBlockStrict);
  if (written.flags == header.flags)
    out_->append(framed_header, payload);
  else
    out_->append(encode(written), payload);
  note(written, offset);
}

void BlockWriter::finish(CaptureState state, Time ended) {
  footer_.state = state;
  footer_.ended = ended;
  write(framer_.frame(footer_,
                      static_cast<std::uint8_t>(flags_ | (state == CaptureState::recovered ? kBlockRecovered : 0))));
  out_->finish();
}

}  // namespace tailcap::formats::file
