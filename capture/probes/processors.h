// How many goroutines a Go process runs at a time at most (GOMAXPROCS), from its memory.
#pragma once

#include <cstdint>

#include "capture/scan/target_files.h"

namespace tailcap::capture::go {

// address: of runtime.gomaxprocs in the file; position_independent: which the loader may have moved. 0: not known, also
// as long as the runtime has not begun.
std::uint16_t read_processors(scan::TargetFiles& files, std::uint32_t pid, std::uint64_t address,
                              bool position_independent);

}  // namespace tailcap::capture::go
