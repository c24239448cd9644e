// Writes of Go's crypto/tls that had not returned when their process ended: probes see what a call moved when it
// returns.
#pragma once

#include <cstdint>
#include <unordered_set>

namespace tailcap::capture {

class OpenWrites {
 public:
  // map: the kernel programs' go_goroutines (bpf/tls/go_call.bpf.h); -1: nothing is counted.
  explicit OpenWrites(int map) : map_(map) {}

  void ended(std::uint32_t pid);  // its first thread has
  // Counts those of the processes that have ended since the previous call. Forgets all their calls.
  std::uint64_t count();

 private:
  int map_;
  std::unordered_set<std::uint32_t> ended_;
};

}  // namespace tailcap::capture
