// What a thread was doing when a clock of the CPU struck.
#pragma once

#include <string_view>

namespace tailcap::formats {

// Event::thread was running at Event::time: one of the samples that are taken so many times a second of CPU time.
//
// A stack is told as text: names of functions joined by ';', the outermost first. In a name ';' and line ends are
// spaces. What could not be named is "[FILE]", where it is known which file it lies in, otherwise "[unknown]".
struct Sample {
  std::string_view user{};    // empty: no frame could be read
  std::string_view kernel{};  // empty: it ran in user mode
  bool operator==(const Sample&) const = default;
};

}  // namespace tailcap::formats
