// One zstd frame at a time, as a block's payload is one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tailcap::formats::file {

// The recorder's whole budget is 6 % of a core. bench/RESULTS.md has what the others cost.
inline constexpr int kRecordingLevel = 1;

class Compressor {
 public:
  explicit Compressor(int level = kRecordingLevel);
  ~Compressor();
  // The frame, with its content size and without a checksum; valid until the next call.
  std::span<const std::byte> compress(std::span<const std::byte> raw);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  // Fills `raw`, which has room for exactly `raw_size` bytes, from the one frame that `stored` must be. Returns why it
  // is damaged, or an empty string. `raw` is only resized once the frame itself agrees about its size.
  std::string decompress(std::span<const std::byte> stored, std::uint64_t raw_size, std::vector<std::uint64_t>& raw);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::formats::file
