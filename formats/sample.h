// The stacks of a thread or goroutine at a moment of interest.
#pragma once

#include <cstdint>
#include <string_view>

namespace tailcap::formats {

// Why the stack was taken.
enum class SampleKind : std::uint8_t {
  on_cpu = 0,      // a CPU-time timer fired; it fires a fixed number of times per second of CPU time
  off_cpu = 1,     // Event::thread switched out to wait; Event::time is OffCpu::left of that interval
  preempted = 2,   // Go's scheduler took the CPU from Event::goroutine
  allocation = 3,  // Event::goroutine allocated memory
  unknown = 255
};

// Why a program's stack goes no further out.
enum class StackEnd : std::uint8_t {
  unknown = 0,     // it was walked by frame pointers alone
  start = 1,       // the thread's start, according to the tables of its code
  zero = 2,        // a frame pointer, or a return address, of 0 in code without tables
  cut = 3,         // there may be more frames than are recorded
  no_rule = 4,     // how this code finds its caller is not known
  unreadable = 5,  // the stack's memory could not be read
};

// Event::thread was running at Event::time.
//
// A stack is text: names of functions joined by ';', the outermost first. In a name, ';' and line ends become spaces. A
// frame without a name is "[FILE]" if its file is known, otherwise "[unknown]". A function that the compiler has put
// into its caller is "NAME (inlined)"; the frame that it is part of is the next one without that. Frames whose line is
// known have no place: names can be added to the others later.
struct Sample {
  std::string_view user{};    // empty: no frame could be read
  std::string_view kernel{};  // empty: it ran in user mode
  SampleKind kind = SampleKind::on_cpu;
  std::uint32_t weight = 1;          // how many samples like it this one represents, itself included
  std::uint64_t value = 0;           // for an allocation: its bytes
  StackEnd end = StackEnd::unknown;  // of user
  // Lists for the frames of user, in their order, joined by ';'; entries may be empty, and so may all of it.
  std::string_view lines{};   // the line that was executed, in callers that of the call: "cart.c:88"
  std::string_view places{};  // in which of `files` the code is, from 0, and at which address of it: "1+9c4f"
  // Lists for the files that the places are in, joined by ';'.
  std::string_view build_ids{};  // in hexadecimal digits; empty: it has none
  std::string_view files{};      // names without folders
  bool operator==(const Sample&) const = default;
};

}  // namespace tailcap::formats
