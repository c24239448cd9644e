// The heap of a Go process: where a program keeps its runtime's numbers, and what they say.
//
// They stand in runtime.gcController. GOGC and GOMEMLIMIT are its first members in every release that has the limit
// (1.19 and later); where the others are, debugging information says. A program without symbols tells none.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "capture/symbols/elf/elf_file.h"
#include "formats/go_event.h"

namespace tailcap::capture::go {

struct HeapPlaces {
  static constexpr std::uint16_t kMaxSize = 512;

  std::uint64_t controller = 0;      // its address as Program::processors; 0: not known
  std::uint16_t used = 0, live = 0;  // gcController.heapLive and heapMarked; 0: not known
  bool operator==(const HeapPlaces&) const = default;

  std::uint32_t size() const;  // bytes to read from the controller on
};

// version: as go_build gives it. controller: HeapPlaces::controller.
HeapPlaces find_heap(const symbols::ElfFile& file, std::string_view version, std::uint64_t controller);

// memory: of the process, from the controller on. Empty: its runtime has not begun, or this is something else.
std::optional<formats::GoHeap> read_heap(std::string_view memory, const HeapPlaces& places);

}  // namespace tailcap::capture::go
