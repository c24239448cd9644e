// Finds where a Go program keeps the number of the goroutine that a thread runs.
//
// The code of runtime.systemstack shows where the thread's goroutine (g) is, where g has its thread (m), and where m
// has the goroutine that it runs for. The position of the number in g comes from the debugging information; without
// that, from a table of the Go versions that were examined. Unknown values are not guessed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/go/go_binary.h"

namespace tailcap::capture::go {

struct Layout {
  std::int16_t slot = 0;      // of g, from the thread pointer; on arm64 no more than not 0: g is in a register
  std::uint16_t thread = 0;   // g.m
  std::uint16_t current = 0;  // m.curg
  std::uint16_t number = 0;   // g.goid; 0: not known
  std::uint16_t parent = 0;   // g.parentGoid; 0: Go has none before 1.21, or not known
  std::uint8_t saved = 0, saved_frame = 0;  // g.sched.sp, followed by pc, and g.sched.bp; 0: not known
  // m.p, m.oldp, p.goidcache, and the file's address of sched.goidgen: where numbers come from; 0: not known
  std::uint16_t processor = 0, former = 0, batch = 0;
  std::uint64_t generation = 0;
  bool c_code = false;  // calls C: the code there runs for m.curg
  std::string from;     // "DWARF" or "table": the source of the number's position
  std::string problem;  // why the number is not known; empty: it is known
};

// sched: the file's address of runtime.sched, 0 where it moves or is not known. version: as go_build gives it, or
// go_version_from_code; empty: not known.
Layout find_layout(const symbols::ElfFile& file, const symbols::GoFunctions& functions, const std::string& version,
                   std::uint64_t sched = 0);

// "1.22" of "go1.22.3"; empty if it is not a release (a release candidate, a development version, a private build).
std::string_view release_of(std::string_view version);

}  // namespace tailcap::capture::go
