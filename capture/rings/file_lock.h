// Records of locks on files that were refused (bpf/sched/file_lock.bpf.c).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/io_terms.h"
#include "formats/time.h"

namespace tailcap::capture {

struct FileLock {
  std::uint32_t holder = 0;  // the process that has the lock; 0: it is another record
  formats::Thread thread;    // that was refused
  formats::Time time = formats::kNoTime;
};
FileLock file_lock(std::span<const std::byte> record);

}  // namespace tailcap::capture
