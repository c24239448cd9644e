// Puts frames of scripts into the stack of the program that executes them: in place of those of the interpreter.
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
    script,   // index: of the script's stack
    gap,      // frames of the program are missing here
    cut,      // frames of the script are missing here
  };
  Of of = Of::program;
  std::size_t index = 0;
  bool operator==(const MergedFrame&) const = default;
};

// interpreters: which of the program's frames are the interpreter. script: numbers as in record_sample. All from
// the innermost frame on. Where the two stacks cannot be of the same moment, the program's alone is returned.
std::vector<MergedFrame> merge_script(const std::vector<bool>& interpreters, std::span<const std::uint64_t> script,
                                      bpf::script_end script_end, formats::StackEnd end);

// For a language whose functions have frames of their own there (V8).
std::vector<MergedFrame> place_script(std::size_t program_frames, std::span<const std::uint64_t> script);

}  // namespace tailcap::capture::stacks
