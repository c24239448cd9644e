// What a thread, or a goroutine, was doing at a moment of interest, by its stacks.
#pragma once

#include <cstdint>
#include <string_view>

namespace tailcap::formats {

// Why the stack was taken.
enum class SampleKind : std::uint8_t {
  on_cpu = 0,      // a clock of the CPU struck, as it does so many times a second of CPU time
  off_cpu = 1,     // Event::thread left the CPU to wait; Event::time is OffCpu::left of that wait
  preempted = 2,   // Go's scheduler took the CPU from Event::goroutine
  allocation = 3,  // Event::goroutine allocated memory
  unknown = 255
};

// Event::thread was running at Event::time.
//
// A stack is told as text: names of functions joined by ';', the outermost first. In a name ';' and line ends are
// spaces. What could not be named is "[FILE]", where it is known which file it lies in, otherwise "[unknown]".
struct Sample {
  std::string_view user{};    // empty: no frame could be read
  std::string_view kernel{};  // empty: it ran in user mode
  SampleKind kind = SampleKind::on_cpu;
  std::uint32_t weight = 1;  // how many like it this one stands for, itself included
  std::uint64_t value = 0;   // of an allocation: its bytes
  bool operator==(const Sample&) const = default;
};

}  // namespace tailcap::formats
