// Allocations of Go programs: the place of the probe (bpf/go/allocation.bpf.c).
#pragma once

#include <cstdint>

#include "capture/go/program.h"
#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::go {

// Adds the place to the plan, or the reason that there is none to its unsupported.
void plan_allocations(const symbols::ElfFile& elf, std::uint16_t file, Program& program);

}  // namespace tailcap::capture::go
