// Which functions a file has, by its exception tables (.eh_frame): they survive stripping. C and C++ only.
#pragma once

#include <cstdint>
#include <vector>

#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::symbols {

struct FunctionRange {
  std::uint64_t address = 0;
  std::uint64_t size = 0;

  bool operator==(const FunctionRange&) const = default;
};

// By address, in executable segments only. GCC's outlying parts of functions are ranges of their own.
std::vector<FunctionRange> unwind_ranges(const ElfFile& file);

// The range around an address, or null.
const FunctionRange* range_around(const std::vector<FunctionRange>& ranges, std::uint64_t address);

}  // namespace tailcap::capture::symbols
