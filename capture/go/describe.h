// Describes in one line what probes in a Go program would record and cost; for `tailcap doctor`.
#pragma once

#include <string>

#include "capture/go/program.h"

namespace tailcap::capture::go {

struct ProgramDescription {
  std::string text;         // "go1.23.5, goroutines by DWARF; 9 places at 0.5 µs a hit, 2 at 9.5 µs"
  std::string unsupported;  // what cannot be recorded and why; empty: nothing
};

ProgramDescription describe_program(const Program& program);

}  // namespace tailcap::capture::go
