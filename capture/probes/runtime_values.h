// What the runtime of a Go process has in the process's memory: GOMAXPROCS, and the heap.
#pragma once

#include <cstdint>
#include <optional>

#include "capture/go/heap.h"
#include "capture/scan/target_files.h"
#include "formats/go_event.h"

namespace tailcap::capture::go {

// Where the loader has put the program's first byte. Empty: not known.
std::optional<std::uint64_t> base_of(scan::TargetFiles& files, std::uint32_t pid);

// address: of runtime.gomaxprocs in the process. 0: not known, also as long as the runtime has not begun.
std::uint16_t read_processors(scan::TargetFiles& files, std::uint32_t pid, std::uint64_t address);

// base: what is added to the places' address. Empty: as read_heap(), or it cannot be read.
std::optional<formats::GoHeap> read_heap(scan::TargetFiles& files, std::uint32_t pid, std::uint64_t base,
                                         const HeapPlaces& places);

}  // namespace tailcap::capture::go
