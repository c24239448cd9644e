// Which functions of a file move TLS plaintext or say what happens to a session, and where the probes in them go.
//
// Pure: a file in, places out. Nothing is attached here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "capture/probes.h"
#include "capture/symbols/elf_file.h"

namespace tailcap::capture::tls {

struct PlannedPlace {
  FunctionProbe probe;
  std::string text;         // "js +0x16: emulated"
  std::uint32_t price = 0;  // ns of a hit, by the kind of instruction
};

// The places of one function: all of them or none, or calls would be seen in halves.
struct PlannedFunction {
  std::string name;
  std::vector<PlannedPlace> places;  // empty: it cannot be probed, for that reason
  std::string reason;                // why not, or what is incomplete
};

// What a hit costs by how the kernel carries the instruction out; measured on a virtual machine (bench/RESULTS.md).
inline constexpr std::uint32_t kEmulatedPrice = 500;
inline constexpr std::uint32_t kSingleStepPrice = 9500;

// Whether a mapped file of this name may hold such functions: "libssl.so.3".
bool is_tls_library(const std::string& file_name);

// Empty where the file has none: most programs. May take tens of milliseconds for a large one.
std::vector<PlannedFunction> plan_functions(const symbols::ElfFile& file);

}  // namespace tailcap::capture::tls
