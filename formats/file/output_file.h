// The file a capture is written to: PATH.partial, locked, until it is whole and takes its name.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "formats/file/bytes.h"

namespace tailcap::formats::file {

class OutputFile : public ByteSink {
 public:
  // Creates and locks PATH + suffix, readable by its owner only. An existing file is never written into: with force one
  // that a dead recording left is removed, and PATH is replaced in the end. Throws std::system_error if either exists
  // and !force, and always if PATH is not a regular file, another program is writing the partial file, or the partial
  // file is a link, has other names, is not regular or belongs to another user.
  OutputFile(const std::string& path, bool force, const std::string& suffix = ".partial");
  ~OutputFile() override;  // closes; the partial file stays
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Appends a block, all of it or nothing: what a full disk cut is taken off again before this throws.
  void append(std::span<const std::byte> header, std::span<const std::byte> payload) override;
  void sync() override;
  // Syncs and takes the name PATH; the last call. Throws if it is not this file that has the name then: others who may
  // write the folder can exchange files.
  void finish() override;
  // Removes the partial file, unless something else has its name by now.
  void discard();
  // Somebody else gives the name, who may write the folder: 0, or errno. replace: what has the name by now.
  using GiveName = std::function<int(bool replace)>;
  void let_name(GiveName give_name) { give_name_ = std::move(give_name); }

  std::uint64_t size() const override { return size_.load(std::memory_order_relaxed); }

 private:
  bool is_named(const std::string& path) const;
  [[noreturn]] void fail(int error, const std::string& what, const std::string& advice) const;

  GiveName give_name_;
  std::string path_, partial_;
  bool force_;
  int fd_ = -1;
  std::atomic<std::uint64_t> size_{0};
};

}  // namespace tailcap::formats::file
