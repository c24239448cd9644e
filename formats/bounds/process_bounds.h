// What this process may use at most, whatever is in the captures that it reads. The limits of read_limits.h end the
// reading in good order where it needs too much; these end the program, in every stage, also inside a library.
//
// Memory: the kernel refuses to give more (RLIMIT_DATA), and the program is given up. Processor time and deadlines: a
// thread looks at the clocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "formats/time.h"

namespace tailcap::formats {

// What a program of this size has beside what it reads: its code, the stacks of its threads, blocks that are decoded
// ahead. It comes on top of the limit.
inline constexpr std::uint64_t kBesideLimit = 64u << 20;

// The default limits: a fixed part, and a part for each byte of the files that were opened.
inline constexpr std::uint64_t kFreeMemory = 1ull << 30, kMemoryPerByte = 300;
inline constexpr Duration kFreeProcessor = std::chrono::seconds{60};
inline constexpr Duration kProcessorPerByte = std::chrono::microseconds{2};

// From now on this process is held to read_limits(). Called again: to those that hold now. `command` begins the
// message.
void hold_to_limits(const std::string& command);
// For commands that run until they are ended.
void without_processor_limit();
// For work that has a limit of its own beside the files.
void allow_more_processor(Duration time);
// For a program that is executed in place of this one.
void lift_memory_limit();

// For the files that were opened until now.
std::uint64_t memory_limit();

// While it exists, the program is given up at `until`: for work that cannot look at the clock itself.
class Deadline {
 public:
  Deadline(std::chrono::steady_clock::time_point until, const char* message);  // a string that stays
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
};

namespace file {
struct FileIdentity;
// A file that is read; it widens limits that are in proportion to the files.
void widen_limits(const FileIdentity& file);
}  // namespace file

}  // namespace tailcap::formats
