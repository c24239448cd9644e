// Plans what can be recorded of a Go program, and the probes that this needs (bpf/go/).
//
// Pure: the input is a file, the output a plan. Everything is found by function names, which stripping does not remove.
// What a version of Go does not have, or has inlined, is named in unsupported.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "capture/go/handlers.h"
#include "capture/go/heap.h"
#include "capture/go/layout.h"
#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/plan.h"

namespace tailcap::capture::go {

// A place where a handler begins, indexed by the number in its cookie. Addresses are the file's.
struct HandlerPlace {
  std::string name;  // the function's; empty: that of the function value that is called
  std::uint64_t function = 0, place = 0;
  HandlerIs is = HandlerIs::function;
};

struct Program {
  std::string version;  // empty: not known
  Layout layout;
  std::vector<PlannedFunction> functions;
  std::vector<HandlerPlace> handlers;
  std::vector<std::uint64_t> anchors;  // the file's addresses of other places, by the numbers in their cookies
  std::string build;                   // formats::GoBuild::lines
  std::vector<std::string> wait_reasons, stop_reasons;  // by the program's own numbers
  std::uint8_t parts = 0;                               // bits of formats::GoPart
  // The file's address of GOMAXPROCS, from its first byte on in a program that the loader moves; 0: not known.
  std::uint64_t processors = 0;
  HeapPlaces heap;
  std::string unsupported;  // what cannot be recorded and why; empty: nothing
};

// file: its number in the kernel's table. states: record what every goroutine does, too, at a high cost. allocations:
// record what it allocates, too.
Program plan_program(const symbols::ElfFile& elf, std::uint16_t file, bool states, bool allocations = false);

}  // namespace tailcap::capture::go
