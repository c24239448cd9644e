// A recording as a stream on a pipe. The bytes are those of a file, its index included; nothing is renamed.
#pragma once

#include <atomic>
#include <memory>

#include "formats/file/block_sink.h"
#include "formats/file/block_writer.h"
#include "formats/preamble.h"
#include "formats/time.h"

namespace tailcap::formats::store {

class Stream : public file::BlockSink {
 public:
  // A descriptor that stays open. A file that it may be is locked, so that readers know that it grows. patience: how
  // long its reader may stall at the beginning and at the end. Writes the preamble. Throws std::system_error.
  Stream(int fd, const Preamble& preamble, Duration patience);
  ~Stream() override;

  // Waits for a reader that stalls; after end_soon() only as long as its patience lasts without a byte read.
  void write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) override;
  void finish(CaptureState state, Time ended) override;
  // The recording is over. From any thread.
  void end_soon();

  std::uint64_t file_bytes() const override { return blocks_->file_bytes(); }
  std::uint64_t blocks() const override { return blocks_->blocks(); }
  std::uint64_t raw_bytes() const override { return blocks_->raw_bytes(); }

 private:
  class Sink;
  Sink* sink_;  // of blocks_
  std::unique_ptr<file::BlockWriter> blocks_;
};

}  // namespace tailcap::formats::store
