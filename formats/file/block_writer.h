// Puts blocks into a file: message, compression, header, and the footer's index of them.
#pragma once

#include <string>
#include <vector>

#include "formats/file/block_sink.h"
#include "formats/file/framer.h"
#include "formats/file/output_file.h"

namespace tailcap::formats::file {

class BlockWriter : public BlockSink {
 public:
  BlockWriter(const std::string& path, bool force, const std::string& suffix = ".partial")
      : file_(path, force, suffix) {}

  // Each writes one block; they throw std::system_error when the file cannot take it.
  void write(const Preamble& preamble);  // first, and synced
  void write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) override;
  // One that a Framer made; its numbers are given here.
  void write(const FramedBlock& block);
  // A block as it stands in another file: header and payload frame, both verified by the caller.
  void copy(const BlockHeader& header, std::span<const std::byte> framed_header, std::span<const std::byte> payload);
  // The footer, with the state given; then the file has its name.
  void finish(CaptureState state, Time ended) override;
  // Of the preamble and the footer.
  void set_flags(std::uint8_t flags) { flags_ = flags; }
  void let_name(OutputFile::GiveName give_name) { file_.let_name(std::move(give_name)); }

  std::uint64_t file_bytes() const override { return file_.size(); }
  std::uint64_t blocks() const override { return blocks_.load(std::memory_order_relaxed); }
  std::uint64_t raw_bytes() const override { return raw_bytes_.load(std::memory_order_relaxed); }

 private:
  void note(const BlockHeader& header, std::uint64_t offset);

  OutputFile file_;
  Framer framer_;
  columns::Footer footer_;
  std::uint8_t flags_ = 0;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint32_t> stream_sequences_;
  std::atomic<std::uint64_t> blocks_{0}, raw_bytes_{0};
};

}  // namespace tailcap::formats::file
