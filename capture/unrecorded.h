// Traffic of recorded processes that is not recorded, as the kernel programs count it (bpf/unrecorded.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tailcap::capture {

// What a note about it is called: this, the process and the kind, as in tailcap.unrecorded.123.udp (formats/FORMAT.md).
inline constexpr const char* kUnrecordedNote = "tailcap.unrecorded.";

class Unrecorded {
 public:
  explicit Unrecorded(int map) : map_(map) {}
  // Reads what has been counted, and the names of processes that are new. Often enough that they still exist.
  void look();
  // A note for each process and kind that has changed since the last time: how much there was in all.
  std::vector<std::pair<std::string, std::string>> changed();
  // All of it, a line each.
  std::vector<std::string> lines() const;

 private:
  struct Sum {
    std::string process;                                        // its name and number
    std::uint64_t sockets = 0, calls = 0, bytes = 0, told = 0;  // told: calls, by changed()
  };
  int map_;                                                      // the kernel programs'
  std::map<std::pair<std::uint32_t, std::uint32_t>, Sum> sums_;  // by process and kind; no more than the map holds
};

}  // namespace tailcap::capture
