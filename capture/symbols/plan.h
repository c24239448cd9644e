// Plans the probes in a file's functions, without attaching anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "capture/symbols/function_probe.h"
#include "capture/symbols/function_probes.h"

namespace tailcap::capture {

struct PlannedPlace {
  FunctionProbe probe;
  std::string text;         // "js +0x16: emulated"
  std::uint32_t price = 0;  // ns per hit, by kind of instruction
};

// The places of one function. Either all or none are probed; otherwise calls would be recorded in part.
struct PlannedFunction {
  std::string name;
  std::vector<PlannedPlace> places;  // empty: it cannot be probed, for that reason
  std::string reason;                // why not, or what is incomplete
  std::uint32_t group = 0;           // removed together, before the others; 0: at the end
};

// The cost of a hit in ns, by how the kernel executes the instruction; measured on a virtual machine
// (bench/RESULTS.md).
inline constexpr std::uint32_t kEmulatedPrice = 500;
inline constexpr std::uint32_t kSingleStepPrice = 9500;

// function: where the function begins.
std::string text_of(const symbols::Place& place, std::uint64_t function);
PlannedPlace planned(const symbols::ProbePlacer& placer, const symbols::Place& place, std::uint64_t function,
                     FunctionProgram program, std::uint64_t cookie);

}  // namespace tailcap::capture
