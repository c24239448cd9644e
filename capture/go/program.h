// What can be told of a Go program, and where kernel programs have to stand in it for that (bpf/go.h).
//
// Pure: a file in, a plan out. Everything is found by the names of functions, which stripping leaves in place; what a
// version of Go does not have, or has inlined, is named in unsupported.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "capture/go/handlers.h"
#include "capture/go/layout.h"
#include "capture/plan.h"
#include "capture/symbols/elf_file.h"

namespace tailcap::capture::go {

// A place where a handler begins, by the number in its cookie. Addresses are the file's.
struct HandlerPlace {
  std::string name;  // of the function; empty: of the function value that it is called on
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
  std::uint64_t processors = 0;                         // the file's address of GOMAXPROCS; 0: not known
  std::string unsupported;                              // what cannot be told and why; empty: nothing
};

// file: its number in the kernel's table. states: what every goroutine does, too, which is dear. allocations: what it
// allocates, too.
Program plan_program(const symbols::ElfFile& elf, std::uint16_t file, bool states, bool allocations = false);

}  // namespace tailcap::capture::go
