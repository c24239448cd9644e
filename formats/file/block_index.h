// The positions of a file's blocks, found by reading header after header; nothing is inflated.
//
// If there is no header where one must be, the next one is searched for, and the range between becomes a gap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/block.h"
#include "formats/bounds/read_progress.h"
#include "formats/file/bytes.h"
#include "formats/recorder_event.h"

namespace tailcap::formats::file {

// A file open for reading. It may still grow; size() is its size when it was opened.
class InputFile : public ByteSource {
 public:
  // Throws std::runtime_error with what to do if there is no such file or it cannot be a capture.
  explicit InputFile(const std::string& path);
  ~InputFile() override;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& name() const { return name_; }  // for messages: printable()
  std::uint64_t size() const { return size_; }
  const FileIdentity& identity() const { return identity_; }
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const override;
  // Is a recorder writing this file now?
  bool being_written() const;

 private:
  std::string name_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  FileIdentity identity_;
};

struct IndexEntry {
  enum class What { block, gap } what = What::block;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;                // in the file, header included; a gap of missing blocks has none
  BlockHeader header;                     // of a block
  std::string damage;                     // of a gap: why
  Time since = kNoTime, until = kNoTime;  // of a gap: events between them may be missing
};

struct BlockIndex {
  std::vector<IndexEntry> entries;  // in file order; footers included
  CaptureState state = CaptureState::truncated;
  bool out_of_proportion = false;  // blocks were left out: together they hold more than a file of this size may
};

// Throws std::runtime_error if the file is no capture, or one that only a later version can read.
BlockIndex index_blocks(const InputFile& file);

// The order in which a capture is read: event blocks, the preamble, and gaps. Each stream keeps its order; the streams
// are merged by the first time of their blocks. A gap goes with the stream of the block before it. The index must
// outlive this.
std::vector<const IndexEntry*> delivery_order(const BlockIndex& index);

}  // namespace tailcap::formats::file
