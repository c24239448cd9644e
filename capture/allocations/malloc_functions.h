// The functions of a file by which C, C++ and Rust allocate memory, and the places of the probes at them.
//
// Each allocation is counted once: a function that calls another one of these for it is not probed, or not counted
// where it does. Pure: a file in, places out.
#pragma once

#include <string>
#include <vector>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/plan.h"

namespace tailcap::capture {

// Whether a mapped library of this name may have them: "libc.so.6", "libjemalloc.so.2".
bool is_malloc_library(const std::string& file_name);

// Empty where the file has none. file_name: without its folder.
std::vector<PlannedFunction> plan_mallocs(const symbols::ElfFile& file, const std::string& file_name);

}  // namespace tailcap::capture
