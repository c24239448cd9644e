// Reads a capture while it is written: a file that grows, or a stream on standard input. Blocks in the order in which
// they were written, each when it is whole; the recorder writes them in the order in which Reader gives them.
//
// A file is followed by its descriptor: when the recorder gives it its final name, nothing changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "formats/event.h"
#include "formats/preamble.h"

namespace tailcap::formats {

class Follower {
 public:
  // "-": standard input. Where only PATH.partial exists, that. Throws std::runtime_error or std::system_error.
  explicit Follower(const std::string& path);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // The events of the next block, a Damage in place of one, or at last one CaptureEnd. Waits for it, at most `patience`
  // and until a signal arrives: empty then. Valid until the next call. Throws std::runtime_error where it is no
  // capture.
  std::span<const Event> next(Duration patience);
  // CaptureEnd was given.
  bool ended() const;
  // Unset before the first block was read.
  const std::optional<Preamble>& preamble() const;
  Time first() const;  // the earliest event so far
  // Blocks that were damaged, missing or cut so far.
  std::uint64_t damaged() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::formats
