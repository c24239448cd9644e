// Puts frames of Python code into the stack of the program that executes them: in place of those of CPython's
// interpreter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bpf/event.h"
#include "formats/event.h"

namespace tailcap::capture::stacks {

struct MergedFrame {
  enum class Of : std::uint8_t {
    program,  // index: of the program's stack
    python,   // index: of the Python stack
    gap,      // frames of the program are missing here
    cut,      // frames of Python are missing here
  };
  Of of = Of::program;
  std::size_t index = 0;
  bool operator==(const MergedFrame&) const = default;
};

// interpreters: which of the program's frames are CPython's interpreter. python: numbers as in record_sample. All from
// the innermost frame on. Where the two stacks cannot be of the same moment, the program's alone is returned.
std::vector<MergedFrame> merge_python(const std::vector<bool>& interpreters, std::span<const std::uint64_t> python,
                                      bpf::python_end python_end, formats::StackEnd end);

}  // namespace tailcap::capture::stacks
