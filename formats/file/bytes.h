// Where the bytes of blocks come from and go to: files, and streams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tailcap::formats::file {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // As many bytes from `offset` as there are, at most out.size(). Throws std::system_error if the disk fails.
  virtual std::size_t read(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  // Appends a block. Throws std::system_error.
  virtual void append(std::span<const std::byte> header, std::span<const std::byte> payload) = 0;
  virtual void sync() = 0;
  // The capture is whole; the last call.
  virtual void finish() = 0;
  // From any thread.
  virtual std::uint64_t size() const = 0;
};

}  // namespace tailcap::formats::file
