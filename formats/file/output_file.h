// The file a capture is written to: PATH.partial, locked, until it is whole and takes its name.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tailcap::formats::file {

class OutputFile {
 public:
  // Creates and locks PATH + suffix. Throws std::system_error if PATH or a partial file exists and !force, and, with or
  // without force, if another program is writing the partial file.
  OutputFile(const std::string& path, bool force, const std::string& suffix = ".partial");
  ~OutputFile();  // closes; the partial file stays
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Appends a block, all of it or nothing: what a full disk cut is taken off again before this throws.
  void append(std::span<const std::byte> header, std::span<const std::byte> payload);
  void sync();
  // Syncs and takes the name PATH; the last call.
  void finish();

  std::uint64_t size() const { return size_.load(std::memory_order_relaxed); }  // from any thread

 private:
  [[noreturn]] void fail(int error, const std::string& what, const std::string& advice) const;

  std::string path_, partial_;
  bool force_;
  int fd_ = -1;
  std::atomic<std::uint64_t> size_{0};
};

}  // namespace tailcap::formats::file
