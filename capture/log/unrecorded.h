// Traffic of targets that is not recorded, as counted by the kernel programs (bpf/net/unrecorded.bpf.c).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tailcap::capture {

// Prefix of a note's name; the process and the kind follow, as in tailcap.unrecorded.123.udp (formats/FORMAT.md).
inline constexpr const char* kUnrecordedNote = "tailcap.unrecorded.";

class Unrecorded {
 public:
  explicit Unrecorded(int map) : map_(map) {}
  // Reads the counters and the names of new processes. Call it often enough that the processes still exist.
  void look();
  // A note with the totals for each process and kind that has changed since the previous call.
  std::vector<std::pair<std::string, std::string>> changed();
  // All totals, one line each.
  std::vector<std::string> lines() const;

 private:
  struct Sum {
    std::string process;                                        // its name and number
    std::uint64_t sockets = 0, calls = 0, bytes = 0, told = 0;  // `told`: calls at the last changed()
  };
  int map_;                                                      // the kernel programs'
  std::map<std::pair<std::uint32_t, std::uint32_t>, Sum> sums_;  // by process and kind; no more than the map holds
};

}  // namespace tailcap::capture
