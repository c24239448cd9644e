// Reads one block and verifies all of it: checksum, decompression, message, columns.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "formats/columns/message.h"
#include "formats/file/block_index.h"
#include "formats/file/zstd_frame.h"

namespace tailcap::formats::file {

// A block in memory. Views in the events point into raw.
struct LoadedBlock {
  std::string damage;  // empty: sound
  std::vector<std::uint64_t> raw;
  std::vector<Event> events;

  std::span<const std::byte> message() const { return std::as_bytes(std::span(raw)); }
  // Memory that one crafted block took is not kept for the others.
  void release_excess();
};

class BlockLoader {
 public:
  explicit BlockLoader(const ByteSource& file) : file_(file) {}

  // Events of an event or keyframe block; other types are verified too, of unknown types only the checksum.
  void load(const IndexEntry& entry, LoadedBlock& out);
  // Only the message of an event or keyframe block, as far as it can be verified without looking at its events.
  void load_message(const IndexEntry& entry, LoadedBlock& out);
  // The preamble in this block, or one with empty fields.
  Preamble load_preamble(const IndexEntry& entry);

  // The header's and the payload's bytes of the block loaded last, as they are in the file.
  std::span<const std::byte> framed_header() const { return std::span(stored_).first(8 + header_size_); }
  std::span<const std::byte> payload() const { return std::span(stored_).subspan(8 + header_size_); }

 private:
  void decode(const IndexEntry& entry, LoadedBlock& out);
  // Fills `raw` with the message. Returns why the block is damaged.
  std::string inflate(const IndexEntry& entry, std::vector<std::uint64_t>& raw);

  const ByteSource& file_;
  Decompressor decompressor_;
  std::vector<std::byte> stored_;
  std::size_t header_size_ = 0;
};

}  // namespace tailcap::formats::file
