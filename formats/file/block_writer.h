// Puts blocks into a file, or a stream: message, compression, header, and the footer's index of them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "formats/file/block_sink.h"
#include "formats/file/framer.h"
#include "formats/file/output_file.h"

namespace tailcap::formats::file {

class BlockWriter : public BlockSink {
 public:
  BlockWriter(const std::string& path, bool force, const std::string& suffix = ".partial")
      : BlockWriter(std::make_unique<OutputFile>(path, force, suffix)) {}
  explicit BlockWriter(std::unique_ptr<ByteSink> out) : out_(std::move(out)) {}

  // Each writes one block; they throw std::system_error when it cannot be taken.
  void write(const Preamble& preamble);  // first, and synced
  void write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) override;
  // One that a Framer made; its numbers are given here.
  void write(const FramedBlock& block);
  // A block as it stands in another file: header and payload frame, both verified by the caller.
  void copy(const BlockHeader& header, std::span<const std::byte> framed_header, std::span<const std::byte> payload);
  // The footer, with the state given; then the file has its name.
  void finish(CaptureState state, Time ended) override;
  // The flags of the preamble and the footer.
  void set_flags(std::uint8_t flags) { flags_ = flags; }
  // From now on a preamble that is copied is not marked as strict.
  void take_strictness() { strict_ = false; }
  // Where the output is a file.
  void let_name(OutputFile::GiveName give_name) {
    if (auto* const file = dynamic_cast<OutputFile*>(out_.get())) file->let_name(std::move(give_name));
  }

  // Where the output is a file that cannot be finished: nothing of it stays.
  void discard() {
    if (auto* const file = dynamic_cast<OutputFile*>(out_.get())) file->discard();
  }

  std::uint64_t file_bytes() const override { return out_->size(); }
  std::uint64_t blocks() const override { return blocks_.load(std::memory_order_relaxed); }
  std::uint64_t raw_bytes() const override { return raw_bytes_.load(std::memory_order_relaxed); }

 private:
  void note(const BlockHeader& header, std::uint64_t offset);

  const std::unique_ptr<ByteSink> out_;
  Framer framer_;
  columns::Footer footer_;
  std::uint8_t flags_ = 0;
  bool strict_ = true;  // may a copied preamble be
  std::uint32_t sequence_ = 0;
  std::vector<std::uint32_t> stream_sequences_;
  std::atomic<std::uint64_t> blocks_{0}, raw_bytes_{0};
};

}  // namespace tailcap::formats::file
