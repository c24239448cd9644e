// How far this process has read a capture: it is read several times, and each time to the same place.
#pragma once

#include <sys/stat.h>

#include <compare>
#include <cstdint>
#include <string>

#include "formats/bounds/read_limits.h"

namespace tailcap::formats::file {

struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified = 0;  // ns
  auto operator<=>(const FileIdentity&) const = default;
};

struct ReadProgress {
  bool read_once = false;  // to its end, or to where it stopped
  StopReason stopped = StopReason::none;
  std::uint64_t events = 0;  // delivered until it stopped
  bool noted = false;        // it is known where it stopped
};

// A first reading leaves room for those that follow it.
std::uint64_t allowed_memory(const ReadProgress& progress);

FileIdentity identity_of(const struct stat& status);
ReadProgress& progress_of(const FileIdentity& file);
// Reading ends here. The first time for this file: remembers where, and that this program has to say so.
void note_stop(ReadProgress& progress, const std::string& name, StopReason reason, Duration after,
               std::uint64_t events);

}  // namespace tailcap::formats::file
