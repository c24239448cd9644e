// Where a Writer's blocks go: into a file, a ring in memory, or files of bounded size.
#pragma once

#include <cstdint>

#include "formats/block.h"
#include "formats/columns/collector.h"
#include "formats/recorder_event.h"

namespace tailcap::formats::file {

class BlockSink {
 public:
  virtual ~BlockSink() = default;
  // Each throws std::system_error when the disk cannot take it. Called from one thread at a time.
  virtual void write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) = 0;
  virtual void finish(CaptureState state, Time ended) = 0;

  // From any thread.
  virtual std::uint64_t file_bytes() const = 0;  // on the disk; of a ring, in memory
  virtual std::uint64_t blocks() const = 0;
  virtual std::uint64_t raw_bytes() const = 0;
};

}  // namespace tailcap::formats::file
